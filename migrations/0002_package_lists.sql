-- What lists packages newest first, each with the columns of its filter before the sequence, so that nothing is sorted.
CREATE INDEX packages_by_account ON firmware_packages (account_id, sequence);
CREATE INDEX packages_by_product ON firmware_packages (account_id, product_key, sequence)
  WHERE product_key IS NOT NULL;
-- The product comes along so that versions of a product are counted without reading their rows.
CREATE INDEX packages_by_dest_version ON firmware_packages (account_id, dest_version, sequence, product_key);
