-- What refusals are grouped by, so that groups are counted from the index alone: a record may have 24 KiB.
ALTER TABLE refusals ADD COLUMN code TEXT;
ALTER TABLE refusals ADD COLUMN operation TEXT;
ALTER TABLE refusals ADD COLUMN peer TEXT;

UPDATE refusals SET
  code = json_extract(record, '$.code'),
  operation = json_extract(record, '$.operation'),
  peer = json_extract(record, '$.peer');

CREATE INDEX refusals_grouped ON refusals (reason, code, operation, account_id, peer, at, repeats);
