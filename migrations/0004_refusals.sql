-- What was refused, with what was sent. `record` is JSON; `repeats` counts the requests that were refused like it.
CREATE TABLE refusals (
  sequence   INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL,
  at         INTEGER NOT NULL,
  reason     TEXT NOT NULL,
  account_id TEXT,
  object_key TEXT,
  repeats    INTEGER NOT NULL,
  -- A wrong signature as it was sent; removed after an hour.
  signature  TEXT,
  record     TEXT NOT NULL
) STRICT;

CREATE INDEX refusals_by_key ON refusals (object_key, sequence) WHERE object_key IS NOT NULL;
CREATE INDEX refusals_by_time ON refusals (at);
CREATE INDEX refusals_signed ON refusals (at) WHERE signature IS NOT NULL;
CREATE INDEX refusals_by_reason ON refusals (reason, sequence);

-- The ids of the requests of a row, also of those that were refused like the first one.
CREATE TABLE refused_requests (
  request_id TEXT PRIMARY KEY,
  sequence   INTEGER NOT NULL REFERENCES refusals (sequence) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX refused_requests_by_refusal ON refused_requests (sequence);
