-- How much there was over time. `slot` is the time in tens of minutes, so that a row is replaced when the same time comes
-- again. Times are Unix milliseconds, sizes bytes.
CREATE TABLE usage_samples (
  slot             INTEGER PRIMARY KEY,
  at               INTEGER NOT NULL,
  issued           INTEGER NOT NULL,
  stored           INTEGER NOT NULL,
  stored_bytes     INTEGER NOT NULL,
  claimed          INTEGER NOT NULL,
  claimed_bytes    INTEGER NOT NULL,
  purging          INTEGER NOT NULL,
  purging_bytes    INTEGER NOT NULL,
  purged           INTEGER NOT NULL,
  purged_bytes     INTEGER NOT NULL,
  packages         INTEGER NOT NULL,
  disk_free        INTEGER,
  -- What has happened since the row before: refused requests, and purged uploads by their reason.
  refusals         INTEGER NOT NULL,
  unclaimed        INTEGER NOT NULL,
  unclaimed_bytes  INTEGER NOT NULL,
  replaced         INTEGER NOT NULL,
  replaced_bytes   INTEGER NOT NULL,
  deleted          INTEGER NOT NULL,
  deleted_bytes    INTEGER NOT NULL,
  retired          INTEGER NOT NULL,
  retired_bytes    INTEGER NOT NULL
) STRICT;
