import { readFile } from 'node:fs/promises';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import { ApiCallError, callApi } from '../../../src/client/api-client.ts';
import { md5Hex, patternBytes } from '../../support/bytes.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import type { Dice } from './dice.ts';
import { findFaults, survey } from './survey.ts';
import type { Survey, UploadRow } from './survey.ts';

const MIB = 1024 * 1024;
const POOL = patternBytes(9 * MIB);
/** Round the sizes at which the gateway changes its ways, and everything between. */
const SIZES = [0, 1, 1000, 65_536, MIB - 1, MIB, MIB + 1, 2 * MIB, 4 * MIB];

/** A body that was sent, known by its digest. */
interface Sent {
  readonly md5: string;
  readonly bytes: Buffer;
}

/** A package that was asked for. `asked` is still open: yes or no, but one of them for ever. */
interface Wish {
  readonly name: string;
  packageId: string | undefined;
  claimed: 'asked' | 'yes';
  deleted: 'no' | 'asked' | 'yes';
}

/** What we know of one key from the answers we got, and from nothing else. */
interface Story {
  readonly key: string;
  /** The last body that was acknowledged. */
  stored: Sent | undefined;
  /** Sent afterwards, and never answered: in its place, or not. */
  perhaps: Sent[];
  wish: Wish | undefined;
  /** When the last body was sent. */
  sentAt: number;
  /** It is known to be gone, and must stay so. */
  gone: boolean;
}

/** How often something was acknowledged. */
export interface Acknowledged {
  signed: number;
  stored: number;
  claimed: number;
  deleted: number;
}

/**
 * Drives a gateway with uploads, claims and deletions, keeps a log of what it has acknowledged, and compares the
 * log with what is there after a crash.
 */
export class KillLog {
  readonly acknowledged: Acknowledged = { signed: 0, stored: 0, claimed: 0, deleted: 0 };
  readonly #stories = new Map<string, Story>();
  readonly #claimTtl: number;
  #names = 0;

  /** @param claimTtl - of the gateway, in milliseconds */
  constructor(claimTtl: number) {
    this.#claimTtl = claimTtl;
  }

  /** Works on one key after the other until the gateway is gone or `over` says so. */
  async drive(url: string, dice: Dice, over: () => boolean): Promise<void> {
    try {
      while (!over()) await this.#liveOneLife(url, dice, over);
    } catch (error) {
      if (!isLostConnection(error)) throw error;
    }
  }

  async #liveOneLife(url: string, dice: Dice, over: () => boolean): Promise<void> {
    const grant = await grantFrom(url);
    this.acknowledged.signed += 1;
    const story: Story = {
      key: grant.key,
      stored: undefined,
      perhaps: [],
      wish: undefined,
      sentAt: 0,
      gone: false,
    };
    this.#stories.set(grant.key, story);
    const local = { ...grant, host: url };
    do {
      await this.#store(local, story, dice);
    } while (dice.chance(0.2) && !over());
    if (dice.chance(0.7)) await this.#claim(url, local, story);
    if (story.wish?.claimed === 'yes' && dice.chance(0.4)) await this.#delete(url, story.wish);
  }

  async #store(grant: UploadGrant, story: Story, dice: Dice): Promise<void> {
    const size = dice.chance(0.5) ? dice.pick(SIZES) : dice.below(4 * MIB);
    const from = dice.below(POOL.length - size);
    const bytes = POOL.subarray(from, from + size);
    const sent = { md5: md5Hex(bytes), bytes };
    story.perhaps.push(sent);
    story.sentAt = Date.now();
    const { status } = await post(grant, bytes);
    if (status !== 200) throw new Error(`an upload was answered with ${String(status)}`);
    story.stored = sent;
    story.perhaps = [];
    this.acknowledged.stored += 1;
  }

  async #claim(url: string, grant: UploadGrant, story: Story): Promise<void> {
    const name = `package-${String((this.#names += 1))}`;
    const wish: Wish = { name, packageId: undefined, claimed: 'asked', deleted: 'no' };
    story.wish = wish;
    try {
      wish.packageId = await claim(url, grant, name);
    } catch (error) {
      const late = Date.now() - story.sentAt >= this.#claimTtl;
      const empty = story.stored?.bytes.length === 0;
      if (!(error instanceof ApiCallError) || !(late || empty)) throw error;
      story.wish = undefined;
      return;
    }
    wish.claimed = 'yes';
    this.acknowledged.claimed += 1;
  }

  async #delete(url: string, wish: Wish): Promise<void> {
    wish.deleted = 'asked';
    await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId: wish.packageId });
    wish.deleted = 'yes';
    this.acknowledged.deleted += 1;
  }

  /**
   * Compares the log with what is there; nothing may be under way but the purge. What was open before is decided
   * by what is found, and must stay so.
   * @returns one line for each fault
   */
  async verify(gateway: BuiltGateway): Promise<string[]> {
    const found = await survey(gateway.dataDir);
    const faults = await findFaults(found);
    const byKey = new Map<string, UploadRow[]>();
    for (const row of found.rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row]);
    for (const story of this.#stories.values()) {
      const fault = await this.#judge(story, byKey.get(story.key) ?? [], found);
      if (fault !== undefined) faults.push(`${story.key}: ${fault}`);
    }
    return faults;
  }

  async #judge(
    story: Story,
    rows: readonly UploadRow[],
    { bodies, packages }: Survey,
  ): Promise<string | undefined> {
    const live = rows.find(({ state }) => state === 'stored' || state === 'claimed');
    const { wish } = story;
    if (story.gone) return live && `it is ${live.state}, though it was gone`;
    if (live === undefined) return this.#judgeAbsence(story, rows);
    const whole = [...(story.stored ? [story.stored] : []), ...story.perhaps];
    const body = whole.find(({ md5 }) => md5 === live.md5);
    if (body === undefined) return 'it has a body that was not the last one';
    const path = bodies.get(live.locator ?? '');
    const bytes = path === undefined ? undefined : await readFile(path).catch(() => undefined);
    if (bytes !== undefined && !bytes.equals(body.bytes)) return 'its bytes are not those sent';
    story.stored = body;
    story.perhaps = [];
    if (live.state === 'stored') {
      if (wish?.claimed === 'yes') return 'its claim was acknowledged, and it is not claimed';
      story.wish = undefined;
      return undefined;
    }
    if (wish === undefined) return 'it is claimed, and nobody has asked for that';
    if (wish.deleted === 'yes') return 'its package was deleted, and it is still claimed';
    if (!packages.has(live.package_id ?? '')) return 'its package is not there';
    if ((wish.packageId ?? live.package_id) !== live.package_id) return 'another package has it';
    story.wish = {
      ...wish,
      packageId: live.package_id ?? undefined,
      claimed: 'yes',
      deleted: 'no',
    };
    return undefined;
  }

  /** Whether there is a good reason that a key has no body (any more). */
  #judgeAbsence(story: Story, rows: readonly UploadRow[]): string | undefined {
    const last = rows.findLast(({ purge_reason: reason }) => reason !== null);
    const { stored, wish } = story;
    if (last === undefined) return stored && 'it was stored, and there is no trace of it';
    story.gone = true;
    if (last.purge_reason === 'deleted') {
      return wish === undefined || wish.deleted === 'no' ? 'it was deleted unasked' : undefined;
    }
    if (wish?.claimed === 'yes') return 'its claim was acknowledged, and it was purged';
    const age = (last.purging_since ?? 0) - (last.stored_at ?? Infinity);
    return age >= this.#claimTtl ? undefined : 'it was purged before its deadline';
  }

  /** Deletes all but some of the packages, so that a long run does not grow. */
  async trim(url: string, kept: number): Promise<void> {
    const wishes = [...this.#stories.values()].flatMap(({ gone, wish }) =>
      !gone && wish?.claimed === 'yes' && wish.deleted === 'no' ? [wish] : [],
    );
    for (const wish of wishes.slice(0, -kept)) await this.#delete(url, wish);
  }
}

/** The gateway was killed while it was asked: by the socket, or by an answer that breaks off. */
function isLostConnection(error: unknown): boolean {
  const text = `${String(error)} ${error instanceof Error ? String(error.cause) : ''}`;
  return /ECONNRESET|ECONNREFUSED|EPIPE|socket hang up|terminated|other side closed|fetch failed|aborted/.test(
    text,
  );
}
