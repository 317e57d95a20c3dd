import type { UploadGrant } from '../../../src/client/api-client.ts';
import { ApiCallError } from '../../../src/client/api-call-error.ts';
import { callApi } from '../../../src/client/api-client.ts';
import { signUrlV1 } from '../../support/signed-url.ts';
import { percentEncode } from '../../../src/signatures/percent-encoding.ts';
import { BUCKET_KEY } from '../../support/built-gateway.ts';
import { md5Hex, patternBytes } from '../../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import type { Dice } from './dice.ts';
import type { DataContent, UploadRow } from './inspect-data.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const POOL = patternBytes(9 * MIB);
/** Smaller bodies go through the journal. */
const JOURNAL_LIMIT = 512 * KIB;
/** Sizes around the limits at which the gateway handles a body differently. */
const EDGES = [
  ...[0, 1, 1000, 64 * KIB, JOURNAL_LIMIT - 1, JOURNAL_LIMIT, JOURNAL_LIMIT + 1],
  ...[MIB - 1, MIB, MIB + 1, 2 * MIB, 4 * MIB],
];
const BUCKET = 'iotx-ota';

/** How often a client does each action. */
const CHANCES = {
  overwrite: 0.3,
  /** DeleteObject of an unclaimed object. */
  remove: 0.25,
  /** A DeleteObject that is sent together with a new body for the same key. */
  removeWhileStoring: 0.5,
  storeAgain: 0.5,
  claim: 0.7,
  deletePackage: 0.4,
};

/** A body that was sent, identified by its digest. */
interface Sent {
  readonly md5: string;
  readonly bytes: Buffer;
}

/** A package that was requested. `requested`: the outcome is unknown, but must not change any more. */
interface Wish {
  readonly name: string;
  packageId: string | undefined;
  claimed: 'requested' | 'yes';
  deleted: 'no' | 'requested' | 'yes';
}

/** What is known of one key from the received responses alone. */
interface KeyRecord {
  readonly key: string;
  /** The last body that was acknowledged. */
  stored: Sent | undefined;
  /** Bodies that were sent afterwards without a response: each may have replaced it. */
  perhaps: Sent[];
  wish: Wish | undefined;
  /**
   * DeleteObject. `requested`: the body of `stored` or one of `perhaps` may be deleted, or not. `yes`: acknowledged, so
   * that only a body of `perhaps`, which was sent later, may be there.
   */
  removed: 'no' | 'requested' | 'yes';
  /** When the last body was sent. */
  sentAt: number;
  /** The body is known to be deleted, and must stay deleted. */
  gone: boolean;
}

/** Numbers of acknowledged actions. */
export interface Acknowledged {
  signed: number;
  stored: number;
  claimed: number;
  /** Packages, by DeleteOTAFirmware. */
  deleted: number;
  /** Objects, by DeleteObject. */
  removed: number;
}

/**
 * Sends uploads, claims and deletions to a gateway, logs what it has acknowledged, and compares the log with the data
 * folder after a crash.
 */
export class KillLog {
  readonly acknowledged: Acknowledged = {
    signed: 0,
    stored: 0,
    claimed: 0,
    deleted: 0,
    removed: 0,
  };
  readonly #records = new Map<string, KeyRecord>();
  readonly #claimTtl: number;
  readonly #chooseSize: (dice: Dice) => number;
  #names = 0;

  /**
   * @param claimTtl - the claim TTL of the gateway, in milliseconds
   * @param size - chooses the size of a body, up to 4 MiB
   */
  constructor(claimTtl: number, size = chooseSize) {
    this.#claimTtl = claimTtl;
    this.#chooseSize = size;
  }

  /**
   * Works on one key after the other until the gateway has ended or `over` returns true.
   * @param choose - gives the address for each action; of one of several gateways, when they share their data
   */
  async drive(choose: () => string, dice: Dice, over: () => boolean): Promise<void> {
    try {
      while (!over()) await this.#useOneKey(choose, dice, over);
    } catch (error) {
      if (!isLostConnection(error)) throw error;
    }
  }

  async #useOneKey(choose: () => string, dice: Dice, over: () => boolean): Promise<void> {
    const grant = await grantFrom(choose());
    this.acknowledged.signed += 1;
    const record: KeyRecord = {
      key: grant.key,
      stored: undefined,
      perhaps: [],
      wish: undefined,
      removed: 'no',
      sentAt: 0,
      gone: false,
    };
    this.#records.set(grant.key, record);
    const local = (): UploadGrant => ({ ...grant, host: choose() });
    do {
      await this.#store(local(), record, dice);
    } while (dice.chance(CHANCES.overwrite) && !over());
    if (dice.chance(CHANCES.remove)) {
      if (dice.chance(CHANCES.removeWhileStoring)) await this.#storeAndRemove(local, record, dice);
      else await this.#remove(choose(), record);
      if (dice.chance(CHANCES.storeAgain)) await this.#store(local(), record, dice);
    }
    if (dice.chance(CHANCES.claim)) await this.#claim(choose(), grant, record);
    if (record.wish?.claimed === 'yes' && dice.chance(CHANCES.deletePackage)) {
      await this.#delete(choose(), record.wish);
    }
  }

  async #store(grant: UploadGrant, record: KeyRecord, dice: Dice): Promise<void> {
    const sent = this.#chooseBody(record, dice);
    await this.#post(grant, sent);
    record.stored = sent;
    record.perhaps = [];
    record.removed = 'no';
  }

  /** Deletes the object of a key. */
  async #remove(url: string, record: KeyRecord): Promise<void> {
    record.removed = 'requested';
    await this.#deleteObject(url, record.key);
    record.stored = undefined;
    record.perhaps = [];
    record.removed = 'yes';
  }

  /**
   * Sends a new body and a DeleteObject for the same key at the same time. The later one decides; but if either was
   * acknowledged, the earlier body is deleted.
   */
  async #storeAndRemove(local: () => UploadGrant, record: KeyRecord, dice: Dice): Promise<void> {
    const sent = this.#chooseBody(record, dice);
    record.removed = 'requested';
    const stored = this.#post(local(), sent).then(() => {
      record.stored = sent;
      record.perhaps = [];
    });
    const removed = this.#deleteObject(local().host, record.key).then(() => {
      if (record.stored === sent) return;
      record.stored = undefined;
      record.perhaps = [sent];
    });
    const outcomes = await Promise.allSettled([stored, removed]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Chooses the body to send. */
  #chooseBody(record: KeyRecord, dice: Dice): Sent {
    const size = this.#chooseSize(dice);
    const from = dice.below(POOL.length - size);
    const bytes = POOL.subarray(from, from + size);
    const sent = { md5: md5Hex(bytes), bytes };
    record.perhaps.push(sent);
    record.sentAt = Date.now();
    return sent;
  }

  async #post(grant: UploadGrant, { bytes }: Sent): Promise<void> {
    const { status } = await post(grant, bytes);
    if (status !== 200) throw new Error(`an upload was answered with ${String(status)}`);
    this.acknowledged.stored += 1;
  }

  async #deleteObject(url: string, key: string): Promise<void> {
    const { status } = await fetch(objectUrl(url, key, 'DELETE'), { method: 'DELETE' });
    if (status !== 204) throw new Error(`DeleteObject was answered with ${String(status)}`);
    this.acknowledged.removed += 1;
  }

  async #claim(url: string, grant: UploadGrant, record: KeyRecord): Promise<void> {
    const name = `package-${String((this.#names += 1))}`;
    const wish: Wish = { name, packageId: undefined, claimed: 'requested', deleted: 'no' };
    record.wish = wish;
    try {
      wish.packageId = await claim(url, grant, name);
    } catch (error) {
      const late = Date.now() - record.sentAt >= this.#claimTtl;
      const empty = record.stored?.bytes.length === 0;
      const mayBeGone = record.removed !== 'no';
      if (!(error instanceof ApiCallError) || !(late || empty || mayBeGone)) throw error;
      record.wish = undefined;
      return;
    }
    wish.claimed = 'yes';
    // The object existed, and a claimed object cannot be deleted.
    record.removed = 'no';
    this.acknowledged.claimed += 1;
  }

  async #delete(url: string, wish: Wish): Promise<void> {
    wish.deleted = 'requested';
    await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId: wish.packageId });
    wish.deleted = 'yes';
    this.acknowledged.deleted += 1;
  }

  /**
   * Compares the log with what was found; only the purge may be running. Unknown outcomes become known by this, and
   * must not change any more.
   * @returns one line for each problem
   */
  async verify(found: DataContent): Promise<string[]> {
    const problems: string[] = [];
    const byKey = new Map<string, UploadRow[]>();
    for (const row of found.rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row]);
    for (const record of this.#records.values()) {
      const problem = await this.#checkKey(record, byKey.get(record.key) ?? [], found);
      if (problem !== undefined) problems.push(`${record.key}: ${problem}`);
    }
    return problems;
  }

  async #checkKey(
    record: KeyRecord,
    rows: readonly UploadRow[],
    { packages, read }: DataContent,
  ): Promise<string | undefined> {
    const live = rows.find(({ state }) => state === 'stored' || state === 'claimed');
    const { wish } = record;
    if (wish?.deleted === 'yes' && packages.has(wish.packageId ?? '')) {
      return 'its package was deleted, and it is still there';
    }
    if (record.gone) return live && `it is ${live.state}, but it was deleted`;
    if (live === undefined) return this.#checkAbsence(record, rows);
    const whole = [...(record.stored ? [record.stored] : []), ...record.perhaps];
    const body = whole.find(({ md5 }) => md5 === live.md5);
    if (body === undefined) return 'it has a body that was not the last one';
    const bytes = await read(live.locator ?? '');
    if (bytes !== undefined && !bytes.equals(body.bytes)) return 'its bytes are not those sent';
    record.stored = body;
    record.perhaps = [];
    record.removed = 'no';
    if (live.state === 'stored') {
      if (wish?.claimed === 'yes') return 'its claim was acknowledged, and it is not claimed';
      record.wish = undefined;
      return undefined;
    }
    if (wish === undefined) return 'it is claimed without a request';
    if (wish.deleted === 'yes') return 'its package was deleted, and it is still claimed';
    if (!packages.has(live.package_id ?? '')) return 'its package is not there';
    if ((wish.packageId ?? live.package_id) !== live.package_id) return 'another package has it';
    record.wish = {
      ...wish,
      packageId: live.package_id ?? undefined,
      claimed: 'yes',
      deleted: 'no',
    };
    return undefined;
  }

  /** Checks a key without a body. @returns the problem; undefined when the key may have no body */
  #checkAbsence(record: KeyRecord, rows: readonly UploadRow[]): string | undefined {
    const last = rows.findLast(({ purge_reason: reason }) => reason !== null);
    const { removed, stored, wish } = record;
    if (stored !== undefined && !rows.some(({ md5 }) => md5 === stored.md5)) {
      return 'it was stored, and there is no trace of it';
    }
    if (last === undefined) return undefined;
    record.gone = true;
    if (last.purge_reason === 'deleted') {
      const asked = removed !== 'no' || (wish !== undefined && wish.deleted !== 'no');
      return asked ? undefined : 'it was deleted without a request';
    }
    if (wish?.claimed === 'yes') return 'its claim was acknowledged, and it was purged';
    const age = (last.purging_since ?? 0) - (last.stored_at ?? Infinity);
    return age >= this.#claimTtl ? undefined : 'it was purged before its deadline';
  }

  /** @returns the objects that must be there, after `verify` */
  objects(): { readonly key: string; readonly bytes: Buffer }[] {
    return [...this.#records.values()].flatMap(({ gone, key, stored }) =>
      gone || stored === undefined ? [] : [{ key, bytes: stored.bytes }],
    );
  }

  /** @returns the keys whose object must not be there, after `verify` */
  goneKeys(): string[] {
    return [...this.#records.values()].flatMap(({ gone, key }) => (gone ? [key] : []));
  }

  /** Deletes most of the packages, so that the data of a long run does not grow. */
  async trim(url: string, kept: number): Promise<void> {
    const wishes = [...this.#records.values()].flatMap(({ gone, wish }) =>
      !gone && wish?.claimed === 'yes' && wish.deleted === 'no' ? [wish] : [],
    );
    for (const wish of wishes.slice(0, -kept)) await this.#delete(url, wish);
  }
}

/** Half of the bodies are small enough for the journal, and some have a size near a limit. */
function chooseSize(dice: Dice): number {
  if (dice.chance(0.4)) return dice.pick(EDGES);
  return dice.below(dice.chance(0.6) ? JOURNAL_LIMIT : 4 * MIB);
}

/** The URL that reads or deletes an object, signed with the bucket key. */
export function objectUrl(url: string, key: string, method: 'GET' | 'DELETE'): string {
  const { id: accessKeyId, secret } = BUCKET_KEY;
  const expires = Math.floor(Date.now() / 1000) + 3600;
  const query = signUrlV1({ accessKeyId, secret, bucket: BUCKET, key, method, expires });
  const path = key.split('/').map(percentEncode).join('/');
  return `${url}/${path}?${new URLSearchParams(query).toString()}`;
}

/** Whether an error means that the gateway was killed during a request. */
function isLostConnection(error: unknown): boolean {
  const text = `${String(error)} ${error instanceof Error ? String(error.cause) : ''}`;
  return /ECONNRESET|ECONNREFUSED|EPIPE|socket hang up|terminated|other side closed|fetch failed|aborted/.test(
    text,
  );
}
