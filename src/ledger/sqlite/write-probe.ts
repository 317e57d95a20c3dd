import type { Database } from 'better-sqlite3';

/**
 * Prepares a write that leaves nothing: it adds and removes a nonce of an access key that cannot exist. (SQLite writes no
 * page for an update that changes no byte.)
 */
export function prepareWriteProbe(database: Database): () => void {
  const insert = database.prepare(
    "INSERT OR REPLACE INTO nonces (access_key_id, nonce, expires_at) VALUES ('', '', 0)",
  );
  const remove = database.prepare("DELETE FROM nonces WHERE access_key_id = '' AND nonce = ''");
  return () => {
    insert.run();
    remove.run();
  };
}
