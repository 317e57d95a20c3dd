-- What lists the uploads that hold bytes, the largest or the oldest first.
CREATE INDEX uploads_by_size ON uploads (size, sequence) WHERE state IN ('stored', 'claimed');
CREATE INDEX uploads_by_age ON uploads (stored_at, sequence) WHERE state IN ('stored', 'claimed');
