import { stat } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';

/** @returns the bytes of a ledger and its write-ahead log; undefined for one in memory */
export async function sizeOnDisk(database: Database): Promise<number | undefined> {
  if (database.memory) return undefined;
  const files = [database.name, `${database.name}-wal`];
  const sizes = await Promise.all(files.map((file) => stat(file).then(({ size }) => size)));
  return sizes.reduce((sum, size) => sum + size, 0);
}
