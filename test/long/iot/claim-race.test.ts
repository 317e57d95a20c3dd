import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { z } from 'zod';
import { createOTAFirmware, generateOTAUploadURL } from '../../../src/client/api-client.ts';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import { createGateway } from '../../../src/gateway.ts';
import type { Gateway } from '../../../src/gateway.ts';
import { ManualClock, wallClock } from '../../../src/lib/clock.ts';
import { ACCOUNT_KEY, bodiesOnDisk, temporaryFolder } from '../../support/built-gateway.ts';
import { sha256Hex } from '../../support/bytes.ts';
import { apiOf, codeOf, post } from '../../support/loop.ts';

const ROUNDS = 50;
const UPLOADS = 20;
const CLAIM_TTL = 1000;

/** A clock that calls back when it is read, which happens at every step of a claim. */
class WatchedClock extends ManualClock {
  onRead: () => void = () => undefined;

  override now(): number {
    this.onRead();
    return super.now();
  }
}

interface Race {
  readonly grant: UploadGrant;
  readonly bytes: Buffer;
  /** The results of both claims: a FirmwareId or an error code. */
  readonly answers: readonly string[];
}

const REFUSALS = new Set(['iot.firmware.InvalidFirmwareUrl', 'iot.firmware.SystemBusy']);

function isWin(answer: string): boolean {
  return /^[A-Za-z0-9]{26}$/.test(answer);
}

interface RacePlan {
  readonly clock: WatchedClock;
  readonly round: number;
  /** The purge starts, and the deadline passes, after this number of readings of the clock by the claims. */
  readonly purgeAt: number;
  readonly url: string;
}

/** Uploads files, and then claims each twice while everything unclaimed is purged. */
async function race(gateway: Gateway, plan: RacePlan): Promise<{ races: Race[]; reads: number }> {
  const { clock, purgeAt, round, url } = plan;
  const api = apiOf(url);
  const uploads = await Promise.all(
    Array.from({ length: UPLOADS }, async (_, place) => {
      const bytes = Buffer.from(`firmware ${String(round)} ${String(place)} `.repeat(2000));
      const grant = await generateOTAUploadURL(api);
      expect(await post(grant, bytes)).toMatchObject({ status: 200 });
      return { grant, bytes };
    }),
  );
  let reads = 0;
  let purge: Promise<unknown> | undefined;
  clock.onRead = () => {
    reads += 1;
    if (reads <= purgeAt || purge !== undefined) return;
    purge = Promise.resolve().then(() => gateway.purgeUnclaimed());
    clock.advance({ milliseconds: CLAIM_TTL });
  };
  const claim = async (name: string, grant: UploadGrant, sha256?: string): Promise<string> => {
    const created = createOTAFirmware(api, {
      FirmwareName: name,
      DestVersion: '1',
      FirmwareUrl: grant.firmwareUrl,
      ...(sha256 !== undefined && { SignMethod: 'SHA256', FirmwareSign: sha256 }),
    });
    const code = await codeOf(created);
    return code === 'ok' ? created : String(code);
  };
  const answers = await Promise.all(
    uploads.map(({ bytes, grant }, place) => {
      const name = `upload-${String(round)}-${String(place)}`;
      return Promise.all([claim(`${name}-a`, grant), claim(`${name}-b`, grant, sha256Hex(bytes))]);
    }),
  );
  clock.onRead = () => undefined;
  await purge;
  return {
    races: uploads.map((upload, place) => ({ ...upload, answers: answers[place] ?? [] })),
    reads,
  };
}

const uploadRow = z.object({
  state: z.string(),
  locator: z.string(),
  package_id: z.string().nullable(),
  purge_reason: z.string().nullable(),
});

describe('two claims and a purge at the same moment', () => {
  it('have one outcome for each of 1,000 uploads, on which responses, ledger and disk agree', async () => {
    const folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const clock = new WatchedClock(wallClock.now());
    await using gateway = await createGateway(
      {
        dataDir,
        port: 0,
        qps: 'off',
        claimTtl: CLAIM_TTL,
        maxPackages: ROUNDS * UPLOADS,
        accessKeyId: ACCOUNT_KEY.id,
        accessKeySecret: ACCOUNT_KEY.secret,
      },
      { clock },
    );
    const { url } = await gateway.listen();
    const first = await race(gateway, { clock, round: 0, url, purgeAt: Infinity });
    const { races } = first;
    let mixedRounds = 0;
    for (let round = 1; round < ROUNDS; round += 1) {
      const purgeAt = Math.floor((first.reads * round) / ROUNDS);
      const next = await race(gateway, { clock, round, url, purgeAt });
      const won = next.races.filter(({ answers }) => answers.some(isWin)).length;
      if (won > 0 && won < UPLOADS) mixedRounds += 1;
      races.push(...next.races);
    }
    await gateway.close();

    const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
    const rowsOf = database.prepare(
      'SELECT state, locator, package_id, purge_reason FROM uploads WHERE key = ?',
    );
    const files = database.prepare('SELECT package_id FROM package_files WHERE key = ?').pluck();
    const packages = database.prepare('SELECT count(*) FROM firmware_packages').pluck();
    const kept: string[] = [];
    for (const { answers, grant } of races) {
      const wins = answers.filter(isWin);
      expect(wins.length).toBeLessThan(2);
      const losses = answers.filter((answer) => !isWin(answer));
      expect(losses.filter((code) => !REFUSALS.has(code))).toEqual([]);
      const [row, ...others] = z.array(uploadRow).parse(rowsOf.all(grant.key));
      expect(others).toEqual([]);
      expect(files.all(grant.key)).toEqual(wins);
      if (wins.length === 0) {
        expect(row).toMatchObject({ state: 'purged', package_id: null, purge_reason: 'unclaimed' });
      } else {
        expect(row).toMatchObject({ state: 'claimed', package_id: wins[0], purge_reason: null });
        kept.push(row?.locator ?? '');
      }
    }
    expect(packages.get()).toBe(kept.length);
    database.close();

    const { objects, staging } = await bodiesOnDisk(dataDir);
    expect(staging).toEqual([]);
    expect(objects.map((path) => path.replace(/^.*\//, '')).sort()).toEqual([...kept].sort());
    // Otherwise there was no race.
    expect(mixedRounds).toBeGreaterThan(2);
    await folder.remove();
  }, 120_000);
});
