import { hasNul } from '../../lib/nul.ts';
import type {
  ExpectedBody,
  FoundBody,
  IssuedGrant,
  KeyHolder,
  ListedUpload,
  PurgingBody,
  Room,
  StoredRecord,
  StoreOutcome,
} from '../../uploads/ports.ts';
import type { Used } from '../../uploads/ledger-totals.ts';
import type { LiveUpload, PurgedUpload } from '../../uploads/upload.ts';
import { toKeyHolder, toListed, toLiveUpload, toPurgedUpload, toPurgingBody } from '../rows.ts';
import type { HolderRow, PurgingRow } from '../rows.ts';
import { disownedKey, issueColumns, objectColumns } from '../columns.ts';
import type { Cause } from '../columns.ts';
import { violatedIndex } from './connections.ts';
import type { Connections, RunStatement } from './connections.ts';
import * as purge from './purge-statements.ts';
import * as uploads from './upload-statements.ts';
import { findExcess } from './used-room.ts';

const LOCATORS = new Set(['uploads_by_locator']);

/** The uploads from their issue to their deletion. */
export class UploadTable {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insertIssued(grant: IssuedGrant, room?: Room): Promise<void> {
    if (room === undefined) {
      await this.#connections.change(uploads.INSERT_ISSUED, grant);
      return;
    }
    const excess = await this.#connections.transaction(async (run) => {
      const found = await findExcess(run, room, { uploads: 1, bytes: 0 });
      if (found === undefined) await run(uploads.INSERT_ISSUED, grant);
      return found;
    });
    if (excess !== undefined) throw excess;
  }

  async store(record: StoredRecord, room?: Room): Promise<StoreOutcome | 'disowned'> {
    const { locator } = record.object;
    try {
      if (room === undefined && (await this.#storeIssued(record))) return 'stored';
      const outcome = await this.#connections.transaction((run) => storeLocked(run, record, room));
      if (outcome instanceof Error) throw outcome;
      return outcome;
    } catch (error) {
      const isTaken = violatedIndex(error, LOCATORS) !== undefined;
      if (isTaken && (await this.#isDisowned(locator))) return 'disowned';
      throw error;
    }
  }

  async addSha256(locator: string, sha256: string): Promise<void> {
    await this.#connections.change(uploads.ADD_SHA256, { locator, sha256 });
  }

  async findHolder(key: string): Promise<KeyHolder | undefined> {
    const { rows } = await this.#connections.read(uploads.FIND_HOLDER, { key });
    return rows[0] && toKeyHolder(rows[0]);
  }

  async findLive(key: string): Promise<LiveUpload | undefined> {
    const { rows } = await this.#connections.read(uploads.FIND_LIVE, { key });
    return rows[0] && toLiveUpload(rows[0]);
  }

  async findPurged(key: string): Promise<PurgedUpload | undefined> {
    const { rows } = await this.#connections.read(uploads.FIND_PURGED, { key });
    return rows[0] && toPurgedUpload(rows[0]);
  }

  async list(afterSequence: number, limit: number): Promise<ListedUpload[]> {
    const { rows } = await this.#connections.read(uploads.LIST_UPLOADS, { afterSequence, limit });
    return rows.map(toListed);
  }

  async listBodies(afterLocator: string, limit: number): Promise<ExpectedBody[]> {
    const { rows } = await this.#connections.read(purge.LIST_BODIES, { afterLocator, limit });
    return rows;
  }

  async hasBody(locator: string): Promise<boolean> {
    return (await this.#connections.read(uploads.FIND_BODY, { locator })).count > 0;
  }

  async oldestStored(): Promise<number | undefined> {
    const { rows } = await this.#connections.read(uploads.OLDEST_STORED, {});
    return rows[0]?.oldest ?? undefined;
  }

  async deleteStored(key: string, locator: string, cause: Cause): Promise<boolean> {
    if (hasNul(key)) return false;
    const found = { key, locator, ...cause };
    return (await this.#connections.change(uploads.DELETE_STORED, found)).count > 0;
  }

  async expire(
    storedBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<PurgingBody[]> {
    const due = { storedBefore, at, takenUntil, limit };
    return inOrder((await this.#connections.change(purge.EXPIRE, due)).rows);
  }

  async takePurging(at: number, takenUntil: number, limit: number): Promise<PurgingBody[]> {
    const due = { at, takenUntil, limit };
    return inOrder((await this.#connections.change(purge.TAKE_PURGING, due)).rows);
  }

  async releasePurging(sequences: readonly number[]): Promise<void> {
    await this.#connections.change(purge.RELEASE_PURGING, { sequences });
  }

  async disown(bodies: readonly FoundBody[], at: number): Promise<number> {
    const { count } = await this.#connections.change(purge.DISOWN, {
      keys: bodies.map(({ locator }) => disownedKey(locator)),
      locators: bodies.map(({ locator }) => locator),
      sizes: bodies.map(({ size }) => size),
      at,
    });
    return count;
  }

  async confirmPurged(sequences: readonly number[], at: number): Promise<number[]> {
    const { rows } = await this.#connections.change(purge.CONFIRM_PURGED, { sequences, at });
    const confirmed = new Set(rows.map(({ sequence }) => sequence));
    return [...new Set(sequences)].filter((sequence) => confirmed.has(sequence));
  }

  async pruneIssued(expiredBefore: number, limit: number): Promise<number> {
    return (await this.#connections.change(purge.PRUNE_ISSUED, { expiredBefore, limit })).count;
  }

  async pruneTombstones(purgedBefore: number, limit: number): Promise<number> {
    return (await this.#connections.change(purge.PRUNE_TOMBSTONES, { purgedBefore, limit })).count;
  }

  /** @returns whether the key was simply issued */
  async #storeIssued({ key, object }: StoredRecord): Promise<boolean> {
    const columns = { key, ...objectColumns(object) };
    return (await this.#connections.change(uploads.STORE_ISSUED, columns)).count === 1;
  }

  async #isDisowned(locator: string): Promise<boolean> {
    const { rows } = await this.#connections.read(purge.FIND_KEY_OF_BODY, { locator });
    return rows[0]?.key === disownedKey(locator);
  }
}

/**
 * Stores a body whose key was not simply issued, or whose limits must be checked. The lock of the key makes stores of a new key
 * wait for each other.
 * @returns an error of the room
 */
async function storeLocked(
  run: RunStatement,
  { forbidOverwrite, issue, key, object }: StoredRecord,
  room: Room | undefined,
): Promise<StoreOutcome | Error> {
  await run(uploads.LOCK_KEY, { key });
  const [holder] = (await run(uploads.LOCK_HOLDER, { key })).rows;
  if (holder?.state === 'claimed') return 'immutable';
  if (holder?.state === 'stored' && forbidOverwrite) return 'exists';
  const excess = room && (await findExcess(run, room, addedTo(holder, object.size)));
  if (excess !== undefined) return excess;
  const columns = { key, ...objectColumns(object) };
  if (holder?.state === 'issued') {
    await run(uploads.STORE_ISSUED, columns);
    return 'stored';
  }
  if (holder !== undefined) {
    const { requestId } = columns;
    await run(uploads.MARK_REPLACED, {
      sequence: holder.sequence,
      at: object.storedAt,
      requestId,
    });
  }
  await run(uploads.INSERT_STORED, { ...(holder ?? issueColumns(issue)), ...columns });
  return 'stored';
}

function addedTo(holder: HolderRow | undefined, size: number): Used {
  if (holder === undefined) return { uploads: 1, bytes: size };
  // It has no size while it is issued.
  return { uploads: 0, bytes: size - (holder.size ?? 0) };
}

/** PostgreSQL returns changed rows in any order. */
export function inOrder(rows: readonly PurgingRow[]): PurgingBody[] {
  return rows.map(toPurgingBody).sort((one, other) => one.sequence - other.sequence);
}
