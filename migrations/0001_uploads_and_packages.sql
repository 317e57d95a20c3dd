-- Times are Unix milliseconds, sizes bytes, digests lower-case hexadecimal.

CREATE TABLE uploads (
  sequence          INTEGER PRIMARY KEY,
  key               TEXT NOT NULL,
  state             TEXT NOT NULL CHECK (state IN ('issued', 'stored', 'claimed', 'purging', 'purged')),
  -- the issue; NULL when the policy was not signed here
  account_id        TEXT,
  issued_at         INTEGER,
  policy_expires_at INTEGER,
  -- the stored object; NULL while issued
  locator           TEXT,
  size              INTEGER,
  md5               TEXT,
  crc64             TEXT,
  sha256            TEXT,
  stored_at         INTEGER,
  headers           TEXT,
  -- the claim
  package_id        TEXT,
  -- the way out
  purge_reason      TEXT CHECK (purge_reason IN ('unclaimed', 'replaced', 'deleted')),
  purging_since     INTEGER,
  purged_at         INTEGER
) STRICT;

-- One upload at most holds a key; those on the way out hold it no longer.
CREATE UNIQUE INDEX uploads_by_key ON uploads (key) WHERE state IN ('issued', 'stored', 'claimed');
CREATE INDEX uploads_gone_by_key ON uploads (key, sequence) WHERE state IN ('purging', 'purged');
CREATE UNIQUE INDEX uploads_by_locator ON uploads (locator) WHERE locator IS NOT NULL;
CREATE INDEX uploads_unclaimed ON uploads (stored_at) WHERE state = 'stored';
CREATE INDEX uploads_purging ON uploads (sequence) WHERE state = 'purging';
CREATE INDEX uploads_issued ON uploads (policy_expires_at) WHERE state = 'issued';
CREATE INDEX uploads_tombstones ON uploads (purged_at) WHERE state = 'purged';
CREATE INDEX uploads_by_package ON uploads (package_id) WHERE state = 'claimed';

CREATE TABLE firmware_packages (
  sequence        INTEGER PRIMARY KEY,
  id              TEXT NOT NULL UNIQUE,
  account_id      TEXT NOT NULL,
  instance_id     TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  dest_version    TEXT NOT NULL,
  src_version     TEXT,
  differential    INTEGER NOT NULL CHECK (differential IN (0, 1)),
  module_name     TEXT NOT NULL,
  product_key     TEXT,
  sign_method     TEXT NOT NULL CHECK (sign_method IN ('MD5', 'SHA256')),
  udi             TEXT,
  status          INTEGER NOT NULL CHECK (status IN (-1, 0, 1, 2, 3)),
  verify_progress INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  modified_at     INTEGER NOT NULL,
  UNIQUE (account_id, name)
) STRICT;

CREATE INDEX packages_by_instance ON firmware_packages (account_id, instance_id, sequence);
-- A version is one in its product and module; differential packages of one version differ by where they start.
CREATE UNIQUE INDEX packages_by_version ON firmware_packages (
  account_id, instance_id, product_key, dest_version, lower(module_name), differential,
  iif(differential, src_version, '')
) WHERE product_key IS NOT NULL;

CREATE TABLE package_files (
  package_id TEXT NOT NULL REFERENCES firmware_packages (id) ON DELETE CASCADE,
  place      INTEGER NOT NULL,
  name       TEXT,
  key        TEXT NOT NULL,
  size       INTEGER NOT NULL,
  sign       TEXT NOT NULL,
  md5        TEXT NOT NULL,
  PRIMARY KEY (package_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE nonces (
  access_key_id TEXT NOT NULL,
  nonce         TEXT NOT NULL,
  expires_at    INTEGER NOT NULL,
  PRIMARY KEY (access_key_id, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX nonces_by_expiry ON nonces (expires_at);
