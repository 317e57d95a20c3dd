-- The request of each step of an upload, and who has sent its body. NULL in rows of before, and for steps without a request.
ALTER TABLE uploads ADD COLUMN issued_request_id TEXT;
ALTER TABLE uploads ADD COLUMN stored_request_id TEXT;
ALTER TABLE uploads ADD COLUMN peer TEXT;
ALTER TABLE uploads ADD COLUMN claimed_at INTEGER;
ALTER TABLE uploads ADD COLUMN claimed_request_id TEXT;
ALTER TABLE uploads ADD COLUMN purge_request_id TEXT;
