-- What lists the uploads of one account, newest first. Only the insertion of an issued upload writes it.
CREATE INDEX uploads_by_account ON uploads (account_id, sequence) WHERE account_id IS NOT NULL;
