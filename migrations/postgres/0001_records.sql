-- Times are Unix milliseconds, sizes bytes, digests lower-case hexadecimal. Texts are compared by their bytes.

CREATE TABLE uploads (
  sequence           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key                text COLLATE "C" NOT NULL,
  state              text COLLATE "C" NOT NULL CHECK (state IN ('issued', 'stored', 'claimed', 'purging', 'purged')),
  -- the issue; NULL when the policy was not signed here
  account_id         text COLLATE "C",
  issued_at          bigint,
  policy_expires_at  bigint,
  issued_request_id  text,
  -- the stored object; NULL while issued
  locator            text COLLATE "C",
  size               bigint,
  md5                text COLLATE "C",
  crc64              text,
  sha256             text COLLATE "C",
  stored_at          bigint,
  -- JSON, but not as a type: that one would refuse U+0000
  headers            text,
  stored_request_id  text,
  peer               text COLLATE "C",
  -- the claim
  package_id         text COLLATE "C",
  claimed_at         bigint,
  claimed_request_id text,
  -- the way out
  purge_reason       text CHECK (purge_reason IN ('unclaimed', 'replaced', 'deleted')),
  -- 1: its package was removed because of its age, and the reason is `deleted`
  retired            integer,
  purging_since      bigint,
  -- a gateway deletes the body until this time, and no other one
  taken_until        bigint,
  purged_at          bigint,
  purge_request_id   text
);

-- One upload at most holds a key; those on the way out hold it no longer.
CREATE UNIQUE INDEX uploads_by_key ON uploads (key) WHERE state IN ('issued', 'stored', 'claimed');
CREATE INDEX uploads_gone_by_key ON uploads (key, sequence) WHERE state IN ('purging', 'purged');
-- Also what makes a body that was given up impossible to record.
CREATE UNIQUE INDEX uploads_by_locator ON uploads (locator) WHERE locator IS NOT NULL;
CREATE INDEX uploads_unclaimed ON uploads (stored_at) WHERE state = 'stored';
CREATE INDEX uploads_purging ON uploads (sequence) WHERE state = 'purging';
CREATE INDEX uploads_issued ON uploads (policy_expires_at) WHERE state = 'issued';
CREATE INDEX uploads_tombstones ON uploads (purged_at) WHERE state = 'purged';
CREATE INDEX uploads_by_package ON uploads (package_id) WHERE state = 'claimed';
-- What lists the uploads of one account, newest first. Only the insertion of an issued upload writes it.
CREATE INDEX uploads_by_account ON uploads (account_id, sequence) WHERE account_id IS NOT NULL;
-- What lists the uploads that hold bytes, the largest or the oldest first.
CREATE INDEX uploads_by_size ON uploads (size, sequence) WHERE state IN ('stored', 'claimed');
CREATE INDEX uploads_by_age ON uploads (stored_at, sequence) WHERE state IN ('stored', 'claimed');

CREATE TABLE firmware_packages (
  sequence        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id              text COLLATE "C" NOT NULL UNIQUE,
  account_id      text COLLATE "C" NOT NULL,
  instance_id     text COLLATE "C" NOT NULL,
  name            text COLLATE "C" NOT NULL,
  description     text,
  dest_version    text COLLATE "C" NOT NULL,
  src_version     text COLLATE "C",
  differential    integer NOT NULL CHECK (differential IN (0, 1)),
  module_name     text COLLATE "C" NOT NULL,
  product_key     text COLLATE "C",
  sign_method     text NOT NULL CHECK (sign_method IN ('MD5', 'SHA256')),
  udi             text,
  status          integer NOT NULL CHECK (status IN (-1, 0, 1, 2, 3)),
  verify_progress integer NOT NULL,
  created_at      bigint NOT NULL,
  modified_at     bigint NOT NULL,
  CONSTRAINT packages_by_name UNIQUE (account_id, name)
);

-- What lists packages newest first, each with the columns of its filter before the sequence, so that nothing is sorted.
CREATE INDEX packages_by_account ON firmware_packages (account_id, sequence);
CREATE INDEX packages_by_instance ON firmware_packages (account_id, instance_id, sequence);
CREATE INDEX packages_by_product ON firmware_packages (account_id, product_key, sequence)
  WHERE product_key IS NOT NULL;
CREATE INDEX packages_by_dest_version ON firmware_packages (account_id, dest_version, sequence, product_key);
-- A version is one in its product and module; differential packages of one version differ by where they start.
CREATE UNIQUE INDEX packages_by_version ON firmware_packages (
  account_id, instance_id, product_key, dest_version, lower(module_name), differential,
  (CASE differential WHEN 1 THEN src_version ELSE '' END)
) WHERE product_key IS NOT NULL;
-- What finds the oldest packages.
CREATE INDEX packages_by_age ON firmware_packages (created_at);

CREATE TABLE package_files (
  package_id text COLLATE "C" NOT NULL REFERENCES firmware_packages (id) ON DELETE CASCADE,
  place      integer NOT NULL,
  name       text,
  key        text COLLATE "C" NOT NULL,
  size       bigint NOT NULL,
  sign       text NOT NULL,
  md5        text NOT NULL,
  PRIMARY KEY (package_id, place)
);

-- How many uploads and packages there are, and their bytes: the sum of the rows of an account and a state. A change adds
-- rows, which wait for no other change as an update would; the gateways fold them. Packages have the state `package`.
CREATE TABLE totals (
  account_id text COLLATE "C",
  state      text COLLATE "C" NOT NULL,
  count      bigint NOT NULL,
  bytes      bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE FUNCTION count_upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO totals VALUES (NEW.account_id, NEW.state, 1, coalesce(NEW.size, 0));
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO totals VALUES (OLD.account_id, OLD.state, -1, -coalesce(OLD.size, 0));
  ELSE
    INSERT INTO totals VALUES
      (OLD.account_id, OLD.state, -1, -coalesce(OLD.size, 0)),
      (NEW.account_id, NEW.state, 1, coalesce(NEW.size, 0));
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_new_or_removed AFTER INSERT OR DELETE ON uploads
  FOR EACH ROW EXECUTE FUNCTION count_upload();
CREATE TRIGGER count_moved AFTER UPDATE ON uploads
  FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_upload();

CREATE FUNCTION count_package() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO totals VALUES (NEW.account_id, 'package', 1, 0);
  ELSE
    INSERT INTO totals VALUES (OLD.account_id, 'package', -1, 0);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_packages AFTER INSERT OR DELETE ON firmware_packages
  FOR EACH ROW EXECUTE FUNCTION count_package();

CREATE TABLE nonces (
  access_key_id text COLLATE "C" NOT NULL,
  nonce         text COLLATE "C" NOT NULL,
  expires_at    bigint NOT NULL,
  PRIMARY KEY (access_key_id, nonce)
);
CREATE INDEX nonces_by_expiry ON nonces (expires_at);

-- The calls of the last second, in microseconds by the clock of PostgreSQL. What a crash forgets is over by then, so that
-- nothing of it is written to the log.
CREATE UNLOGGED TABLE quota (
  account_id text COLLATE "C" NOT NULL,
  operation  text COLLATE "C" NOT NULL,
  calls      bigint[] NOT NULL,
  -- how long the last call has to wait, in milliseconds; NULL when it was allowed
  wait       integer,
  PRIMARY KEY (account_id, operation)
) WITH (fillfactor = 50);

-- What was refused, with what was sent. `record` is JSON; `repeats` counts the requests that were refused like it.
CREATE TABLE refusals (
  sequence   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id text COLLATE "C" NOT NULL,
  at         bigint NOT NULL,
  reason     text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL,
  operation  text COLLATE "C",
  account_id text COLLATE "C",
  peer       text COLLATE "C",
  object_key text COLLATE "C",
  repeats    bigint NOT NULL,
  -- A wrong signature as it was sent; removed after an hour.
  signature  text,
  record     text NOT NULL
);
CREATE INDEX refusals_by_key ON refusals (object_key, sequence) WHERE object_key IS NOT NULL;
CREATE INDEX refusals_by_time ON refusals (at);
CREATE INDEX refusals_signed ON refusals (at) WHERE signature IS NOT NULL;
CREATE INDEX refusals_by_reason ON refusals (reason, sequence);
-- What refusals are grouped by, so that groups are counted from the index alone: a record may have 24 KiB.
CREATE INDEX refusals_grouped ON refusals (reason, code, operation, account_id, peer, at, repeats, sequence);

-- The ids of the requests of a row, also of those that were refused like the first one.
CREATE TABLE refused_requests (
  request_id text COLLATE "C" PRIMARY KEY,
  sequence   bigint NOT NULL REFERENCES refusals (sequence) ON DELETE CASCADE
);
CREATE INDEX refused_requests_by_refusal ON refused_requests (sequence);

-- How much there was over time. `slot` is the time in tens of minutes, so that a row is replaced when the same time comes
-- again.
CREATE TABLE usage_samples (
  slot             bigint PRIMARY KEY,
  at               bigint NOT NULL,
  issued           bigint NOT NULL,
  stored           bigint NOT NULL,
  stored_bytes     bigint NOT NULL,
  claimed          bigint NOT NULL,
  claimed_bytes    bigint NOT NULL,
  purging          bigint NOT NULL,
  purging_bytes    bigint NOT NULL,
  purged           bigint NOT NULL,
  purged_bytes     bigint NOT NULL,
  packages         bigint NOT NULL,
  disk_free        bigint,
  -- What has happened since the row before: refused requests, and purged uploads by their reason.
  refusals         bigint NOT NULL,
  unclaimed        bigint NOT NULL,
  unclaimed_bytes  bigint NOT NULL,
  replaced         bigint NOT NULL,
  replaced_bytes   bigint NOT NULL,
  deleted          bigint NOT NULL,
  deleted_bytes    bigint NOT NULL,
  retired          bigint NOT NULL,
  retired_bytes    bigint NOT NULL
);
