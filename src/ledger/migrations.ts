import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the numbered SQL files; the path is the same from the sources and from the built files. */
export const MIGRATIONS_DIR = join(__dirname, '..', '..', 'migrations');

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
  /** The oldest schema version whose programs can work with a database that has it. */
  readonly suits: number;
}

/** A migration that a database has. */
export type AppliedMigration = Pick<Migration, 'version' | 'checksum' | 'suits'>;

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
/** A line of a migration that programs without it can live with. */
const SUITS = /^-- suits: (\d{4})$/m;

export function readMigrations(directory: string): Migration[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const version = Number(FILE_NAME.exec(name)?.[1]);
      if (Number.isNaN(version)) return [];
      const sql = readFileSync(join(directory, name), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      return [{ version, name, sql, checksum, suits: Number(SUITS.exec(sql)?.[1] ?? version) }];
    })
    .sort((a, b) => a.version - b.version);
}

/**
 * @returns the migrations that a database does not have yet
 * @throws when the database is too new for these migrations, or one was changed after it was applied
 */
export function findPending(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): Migration[] {
  refuseNewer(applied, migrations);
  const checksums = new Map(applied.map(({ checksum, version }) => [version, checksum]));
  return migrations.filter(({ checksum, name, version }) => {
    const known = checksums.get(version);
    if (known !== undefined && known !== checksum) {
      throw new Error(
        `migration ${name} was changed after it had been applied: expected SHA-256 ${known}, found ${checksum}`,
      );
    }
    return known === undefined;
  });
}

/**
 * Checks that a database has the schema of these migrations, or a newer one that suits them.
 * @throws when the schema is older or too new
 */
export function requireCurrent(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): void {
  refuseNewer(applied, migrations);
  const [newestApplied, newestKnown] = [newest(applied), newest(migrations)];
  if (newestApplied >= newestKnown) return;
  throw new Error(
    `the ledger has schema version ${String(newestApplied)}, this program needs ${String(newestKnown)}: use the ` +
      'version of its server, or start a gateway of this version, which migrates it',
  );
}

function refuseNewer(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  const newestKnown = newest(migrations);
  if (applied.every(({ suits }) => suits <= newestKnown)) return;
  throw new Error(
    `the ledger has schema version ${String(newest(applied))}, this program knows up to ` +
      `${String(newestKnown)}: start a newer program, or restore an older backup`,
  );
}

function newest(versions: readonly { readonly version: number }[]): number {
  return Math.max(0, ...versions.map(({ version }) => version));
}
