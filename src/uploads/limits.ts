import { watchBytes } from '../lib/watched-bytes.ts';
import type { LedgerTotals, Used } from './ledger-totals.ts';
import type { KeyHolder, Room, UploadLedger } from './ports.ts';

/** Limits of an account, or of the bucket. `off` or absent: none. */
export interface Limits {
  /** Bytes of the stored and claimed files together. */
  readonly maxBytes?: number | 'off' | undefined;
  /** Uploads that are issued, stored or claimed. */
  readonly maxUploads?: number | 'off' | undefined;
  /** Files that are received at the same time. */
  readonly maxConcurrent?: number | 'off' | undefined;
  /** Forms that are signed per second. */
  readonly maxRate?: number | 'off' | undefined;
}

/** The limits that apply now. */
export interface LimitRules {
  readonly bucket: Limits;
  readonly of: (accountId: string) => Limits;
}

/** What a limit is counted for. */
type Scope = 'account' | 'bucket';

const SETTINGS = {
  maxBytes: 'BYTES',
  maxUploads: 'UPLOADS',
  maxConcurrent: 'CONCURRENT',
  maxRate: 'RATE',
} as const satisfies Readonly<Record<keyof Limits, string>>;

/** An upload is refused by a limit. The message names limit, use and setting. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached';
  readonly limit: keyof Limits;
  readonly scope: Scope;

  constructor(limit: keyof Limits, scope: Scope, use: string, allowed: number) {
    const variable = `OTA_GATEWAY_MAX_${scope.toUpperCase()}_${SETTINGS[limit]}`;
    const setting = scope === 'bucket' ? variable : `${variable}, or ${limit} in the accounts file`;
    super(`${use} The limit is ${String(allowed)} (${setting}).`);
    this.limit = limit;
    this.scope = scope;
  }
}

/** What requests are about to add to the usage. */
interface Pending {
  uploads: number;
  bytes: number;
  /** Files that are being received. */
  files: number;
}

/** One account, or the bucket. */
interface Party {
  readonly scope: Scope;
  /** Undefined for the bucket. */
  readonly accountId: string | undefined;
  readonly label: string;
  readonly limits: Limits;
  /** What is recorded at this moment. */
  readonly usage: () => Used;
  readonly pending: Pending;
}

/** A file that was admitted. */
export interface AdmittedFile {
  /** Passes on the bytes. @throws LimitReached as soon as there are more than a limit allows */
  count(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** What is checked when the file is recorded; undefined when no other gateway changes the ledger. */
  readonly room: Room | undefined;
  /** Call it when the file is recorded, or has failed. */
  end(): void;
}

/**
 * Takes a turn of an account or of the bucket.
 * @returns undefined when there is one; else the milliseconds until the next one
 */
export type TakeTurn = (
  accountId: string,
  scope: string,
  perSecond: number,
) => Promise<number | undefined>;

/** An announced size may exceed that of the file by this number of bytes, because a form may continue after its file. */
export const POSSIBLE_TRAILER_BYTES = 64 * 1024;

/**
 * Refuses uploads that exceed a limit: before a form is signed, and again before and while a file is received. What
 * requests are about to add counts until it is recorded, so that requests at the same time cannot exceed a limit together.
 */
export class UploadLimits {
  readonly #totals: LedgerTotals;
  readonly #ledger: Pick<UploadLedger, 'watch' | 'catchUp'>;
  readonly #takeTurn: TakeTurn;
  readonly #pending = new Map<string, Pending>();
  readonly #pendingOfAll: Pending = { uploads: 0, bytes: 0, files: 0 };
  #rules: LimitRules | undefined;
  /** How many reservations have ended. */
  #ended = 0;

  /** @param totals - counts what the ledger has; is started for the first limits */
  constructor(
    totals: LedgerTotals,
    ledger: Pick<UploadLedger, 'watch' | 'catchUp'>,
    takeTurn: TakeTurn,
  ) {
    this.#totals = totals;
    this.#ledger = ledger;
    this.#takeTurn = takeTurn;
  }

  /** Sets the limits; undefined: none. */
  async use(rules: LimitRules | undefined): Promise<void> {
    if (rules !== undefined) await this.#totals.start(this.#ledger);
    this.#rules = rules;
  }

  /** Checks whether one more upload would be admitted. @throws LimitReached */
  async requireUpload(accountId: string): Promise<void> {
    if (this.#rules === undefined) return;
    await this.#catchUp();
    this.#admitUpload(accountId)();
  }

  /**
   * Admits a form before it is signed.
   * @returns a function to call when its upload is recorded as issued; undefined without limits
   * @throws LimitReached
   */
  admitForm(accountId: string): Promise<() => void> | undefined {
    return this.#rules === undefined ? undefined : this.#admitForm(accountId);
  }

  async #admitForm(accountId: string): Promise<() => void> {
    await this.#catchUp();
    const end = this.#admitUpload(accountId);
    try {
      for (const { label, limits, scope } of this.#parties(accountId)) {
        const allowed = limitOf(limits.maxRate);
        if (allowed === Infinity) continue;
        const owner = scope === 'account' ? accountId : '';
        const wait = await this.#takeTurn(owner, `forms of ${scope}`, allowed);
        if (wait === undefined) continue;
        const use = `${label} had ${String(allowed)} forms signed within a second; try again in ${String(wait)} ms.`;
        throw new LimitReached('maxRate', scope, use, allowed);
      }
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * Admitted forms of several gateways may exceed a limit together, so it is checked again when one is recorded.
   * @returns undefined when no other gateway changes the ledger
   */
  roomForForm(accountId: string): Room | undefined {
    return this.#roomOf(this.#parties(accountId), ['maxUploads']);
  }

  #roomOf(
    parties: readonly Party[],
    checked: readonly ('maxUploads' | 'maxBytes')[],
  ): Room | undefined {
    if (!this.#totals.isShared) return undefined;
    const limited = parties.filter(({ limits }) =>
      checked.some((limit) => limitOf(limits[limit]) !== Infinity),
    );
    if (limited.length === 0) return undefined;
    return {
      owners: limited.map(({ accountId }) => accountId),
      findExcess: (owner, used, added) => {
        const party = limited.find(({ accountId }) => accountId === owner);
        return party && findExcess(party, used, added);
      },
    };
  }

  #admitUpload(accountId: string): () => void {
    const parties = this.#parties(accountId);
    for (const party of parties) {
      checkUploads(party, 1);
      // There must be room for at least one byte.
      checkBytes(party, 1);
      checkFiles(party);
    }
    return this.#reserve(parties, { uploads: 1, files: 0 });
  }

  /**
   * Admits a file before its first byte. Only the limits of the bucket apply to a file that belongs to no account.
   * @param holder - the upload that holds its key
   * @param announcedSize - upper bound of its size in bytes, if known
   * @param accountId - whose upload it becomes when nothing holds the key
   * @returns undefined without limits
   * @throws LimitReached
   */
  admitFile(
    holder: KeyHolder | undefined,
    announcedSize = 0,
    accountId?: string,
  ): Promise<AdmittedFile> | undefined {
    return this.#rules === undefined
      ? undefined
      : this.#admitFile(holder, announcedSize, accountId);
  }

  async #admitFile(
    holder: KeyHolder | undefined,
    announcedSize: number,
    accountId: string | undefined,
  ): Promise<AdmittedFile> {
    await this.#catchUp();
    const parties = this.#parties(holder === undefined ? accountId : holder.issue?.accountId);
    const uploads = holder === undefined ? 1 : 0;
    const replaced = holder?.state === 'stored' ? holder.size : 0;
    let bytes = Math.max(0, announcedSize - POSSIBLE_TRAILER_BYTES - replaced);
    for (const party of parties) {
      checkUploads(party, uploads);
      checkBytes(party, bytes);
      checkFiles(party);
    }
    const end = this.#reserve(parties, { uploads, files: 1 });
    for (const { pending } of parties) pending.bytes += bytes;
    const grow = (size: number): void => {
      const more = size - replaced - bytes;
      if (more <= 0) return;
      for (const party of parties) checkBytes(party, more);
      for (const { pending } of parties) pending.bytes += more;
      bytes += more;
    };
    return {
      count: (chunks) => watchBytes(chunks, { onBytes: grow }),
      room: this.#roomOf(parties, ['maxUploads', 'maxBytes']),
      end: () => {
        end();
        for (const { pending } of parties) pending.bytes -= bytes;
        bytes = 0;
      },
    };
  }

  /**
   * Waits for what other gateways have recorded. What a reservation was for may be recorded after the reading of the
   * ledger, and the reservation may end before the result is here; so a reading does not count when one has ended.
   */
  #catchUp(): Promise<void> | undefined {
    const ended = this.#ended;
    return this.#totals
      .catchUp()
      ?.then(() => (ended === this.#ended ? undefined : this.#catchUp()));
  }

  /** @returns a function that ends the reservation */
  #reserve(
    parties: readonly Party[],
    { files, uploads }: Pick<Pending, 'files' | 'uploads'>,
  ): () => void {
    const add = (sign: 1 | -1): void => {
      for (const { pending } of parties) {
        pending.files += sign * files;
        pending.uploads += sign * uploads;
      }
    };
    add(1);
    return () => {
      this.#ended += 1;
      add(-1);
    };
  }

  #parties(accountId: string | undefined): Party[] {
    if (this.#rules === undefined) return [];
    const [rules, totals] = [this.#rules, this.#totals];
    const bucket: Party = {
      ...{ scope: 'bucket', label: 'The bucket', accountId: undefined },
      ...{ limits: rules.bucket, usage: () => totals.used, pending: this.#pendingOfAll },
    };
    if (accountId === undefined) return [bucket];
    const pending = this.#pending.get(accountId) ?? { uploads: 0, bytes: 0, files: 0 };
    this.#pending.set(accountId, pending);
    const account: Party = {
      accountId,
      ...{ scope: 'account', label: `The account ${accountId}` },
      ...{ limits: rules.of(accountId), usage: () => totals.of(accountId).used, pending },
    };
    return [account, bucket];
  }
}

function limitOf(limit: number | 'off' | undefined): number {
  return limit === undefined || limit === 'off' ? Infinity : limit;
}

function checkUploads({ label, limits, pending, scope, usage }: Party, more: number): void {
  const allowed = limitOf(limits.maxUploads);
  const used = usage().uploads + pending.uploads;
  if (more === 0 || used + more <= allowed) return;
  throw new LimitReached('maxUploads', scope, usesUploads(label, used), allowed);
}

function checkBytes({ label, limits, pending, scope, usage }: Party, more: number): void {
  const allowed = limitOf(limits.maxBytes);
  const used = usage().bytes + pending.bytes;
  if (more === 0 || used + more <= allowed) return;
  throw new LimitReached('maxBytes', scope, usesBytes(label, used), allowed);
}

function findExcess(
  { label, limits, scope }: Party,
  used: Used,
  added: Used,
): LimitReached | undefined {
  const [uploads, bytes] = [used.uploads + added.uploads, used.bytes + added.bytes];
  const [maxUploads, maxBytes] = [limitOf(limits.maxUploads), limitOf(limits.maxBytes)];
  if (added.uploads > 0 && uploads > maxUploads) {
    return new LimitReached('maxUploads', scope, usesUploads(label, used.uploads), maxUploads);
  }
  // Also when a limit is exceeded, a file may replace a larger one.
  if (added.bytes > 0 && bytes > maxBytes) {
    return new LimitReached('maxBytes', scope, usesBytes(label, bytes), maxBytes);
  }
  return undefined;
}

function usesUploads(label: string, uploads: number): string {
  return `${label} has ${String(uploads)} uploads that are issued, stored or claimed.`;
}

function usesBytes(label: string, bytes: number): string {
  return `${label} uses ${String(bytes)} bytes for files that are stored, claimed or being received.`;
}

function checkFiles({ label, limits, pending, scope }: Party): void {
  const allowed = limitOf(limits.maxConcurrent);
  if (pending.files < allowed) return;
  const use = `${label} has ${String(pending.files)} files that are being received; try again when one has ended.`;
  throw new LimitReached('maxConcurrent', scope, use, allowed);
}
