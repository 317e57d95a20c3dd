-- An upload whose package was removed because of its age: 1, and the reason `deleted`. It is a column of its own because a
-- new value of the CHECK of purge_reason would rewrite the table, which may have millions of rows.
ALTER TABLE uploads ADD COLUMN retired INTEGER;
-- What finds the oldest packages.
CREATE INDEX packages_by_age ON firmware_packages (created_at);
