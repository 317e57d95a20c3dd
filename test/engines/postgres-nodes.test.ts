import { z } from 'zod';
import { LedgerTotals } from '../../src/uploads/ledger-totals.ts';
import { LimitReached, UploadLimits } from '../../src/uploads/limits.ts';
import { aBody, aClaim, NEVER } from '../contract/upload-ledger-contract.ts';
import { createSchema, openNode, passOnServer, runSql } from './support/postgres.ts';
import type { OpenRecords } from './support/postgres.ts';

const GRANT = { accountId: 'acme', issuedAt: 1, policyExpiresAt: 2 };

/** Whole numbers from 0 as texts. */
function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => String(n));
}

/** @returns seconds by the clock of PostgreSQL */
async function serverTime(url: string): Promise<number> {
  const rows = await runSql(url, 'SELECT extract(epoch FROM clock_timestamp())::float8 AS now');
  return z.array(z.object({ now: z.number() })).parse(rows)[0]?.now ?? 0;
}

describe('three gateways on one PostgreSQL', () => {
  let url: string;
  let drop: () => Promise<void>;
  let nodes: OpenRecords[];
  /** A gateway for each number, by turns. */
  const node = (n: number | string): OpenRecords => {
    const found = nodes[Number(n) % nodes.length];
    if (found === undefined) throw new Error('no gateway is open');
    return found;
  };

  beforeEach(async () => {
    ({ drop, url } = await createSchema());
    nodes = await Promise.all([openNode(url), openNode(url), openNode(url)]);
  });

  afterEach(async () => {
    await Promise.all(nodes.map(({ ledger }) => ledger.close()));
    await drop();
  });

  it('accept each of many nonces once', async () => {
    const calls = numbers(60).map((n) => node(n).nonces.burn('ak', String(Number(n) % 20), 1));
    expect((await Promise.all(calls)).filter(Boolean)).toHaveLength(20);
  });

  it('allow ten calls of an account in any second together', async () => {
    let allowed = 0;
    const startedAt = await serverTime(url);
    for (let burst = 0; burst < 5; burst += 1) {
      const calls = numbers(30).map((n) => node(n).quota.take('acme', 'op', 10));
      const waits = await Promise.all(calls);
      allowed += waits.filter((wait) => wait === undefined).length;
      await passOnServer(Math.max(0, ...waits.map((wait) => wait ?? 0)) / 2);
    }
    const seconds = (await serverTime(url)) - startedAt;
    expect(allowed).toBeGreaterThanOrEqual(10);
    expect(allowed).toBeLessThanOrEqual(10 * (1 + Math.floor(seconds)));
  });

  it('delete each of 300 bodies once when they purge at once', async () => {
    await Promise.all(
      numbers(300).map((n) => node(n).ledger.recordStored(aBody(`k${n}`, `l${n}`))),
    );
    for (const n of numbers(100)) await node(n).ledger.deleteUpload(`k${n}`, `l${n}`, 9);
    const purge = async ({ ledger }: OpenRecords): Promise<string[]> => {
      const deleted: string[] = [];
      for (;;) {
        const bodies = [
          ...(await ledger.expireStored(2000, 10, 70, 16)),
          ...(await ledger.takePurging(10, 70, 16)),
        ];
        if (bodies.length === 0) return deleted;
        const sequences = bodies.map(({ sequence }) => sequence);
        const confirmed = new Set(await ledger.confirmPurged(sequences, 11));
        for (const { locator, sequence } of bodies) {
          if (confirmed.has(sequence)) deleted.push(locator);
        }
        expect(confirmed.size).toBe(bodies.length);
      }
    };
    const deleted = (await Promise.all(nodes.map(purge))).flat();
    expect(deleted.sort()).toEqual(
      numbers(300)
        .map((n) => `l${n}`)
        .sort(),
    );
    expect(await node(0).ledger.countUploads()).toMatchObject({ purged: { count: 300 } });
  });

  it('claim the same files for two accounts in any order, and one of them gets them', async () => {
    for (const round of numbers(10)) {
      const files = numbers(5).map((n) => `${round}-${n}`);
      for (const file of files) await node(0).ledger.recordStored(aBody(file, file));
      const claims = ['acme', 'zeta', 'acme'].map((accountId, n) => {
        const id = `p${round}-${String(n)}`;
        const locators = n % 2 ? files : [...files].reverse();
        return node(n).ledger.claim(aClaim({ id, name: id, accountId, files: [] }, { locators }));
      });
      const kinds = (await Promise.all(claims)).map(({ kind }) => kind).sort();
      expect(kinds).toEqual(['claimed', 'notClaimable', 'notClaimable']);
    }
  });

  it('give a name of an account to one of several claims and changes', async () => {
    for (const n of numbers(4)) await node(0).ledger.recordStored(aBody(`k${n}`, `l${n}`));
    await node(0).ledger.claim(aClaim({ id: 'p0', name: 'old', files: [] }, { locators: ['l0'] }));
    const claims = [1, 2, 3].map(async (n) => {
      const wanted = { id: `p${String(n)}`, name: 'new', files: [] };
      return (await node(n).ledger.claim(aClaim(wanted, { locators: [`l${String(n)}`] }))).kind;
    });
    const change = node(1).ledger.modifyPackage('acme', 'p0', { name: 'new', modifiedAt: 9 });
    const kinds = (await Promise.all([...claims, change])).sort();
    expect([
      ['claimed', 'nameTaken', 'nameTaken', 'nameTaken'],
      ['modified', 'nameTaken', 'nameTaken', 'nameTaken'],
    ]).toContainEqual(kinds);
  });

  it('claim a body while another one adds its SHA-256', async () => {
    for (const n of numbers(30)) {
      await node(n).ledger.recordStored(aBody(`k${n}`, `l${n}`));
      const claim = aClaim({ id: `p${n}`, name: n, files: [] }, { locators: [`l${n}`] });
      const [claimed] = await Promise.all([
        node(n).ledger.claim(claim),
        node(Number(n) + 1).ledger.recordSha256(`l${n}`, 'ff'),
      ]);
      expect(claimed).toEqual({ kind: 'claimed' });
      const object = { sha256: 'ff' };
      expect(await node(0).ledger.findUpload(`k${n}`)).toMatchObject({ state: 'claimed', object });
    }
  });

  it('have no more packages than an account may when they claim at once', async () => {
    await Promise.all(numbers(12).map((n) => node(n).ledger.recordStored(aBody(`k${n}`, `l${n}`))));
    const claims = numbers(12).map((n) => {
      const claim = { locators: [`l${n}`], maxPackages: 5 };
      return node(n).ledger.claim(aClaim({ id: `p${n}`, name: n, files: [] }, claim));
    });
    const kinds = (await Promise.all(claims)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'claimed')).toHaveLength(5);
    expect(kinds.filter((kind) => kind === 'full')).toHaveLength(7);
  });

  it('retire each package once', async () => {
    for (const n of numbers(20)) {
      await node(n).ledger.recordStored(aBody(`k${n}`, `l${n}`));
      await node(n).ledger.claim(
        aClaim({ id: `p${n}`, name: n, files: [], createdAt: 5 }, { locators: [`l${n}`] }),
      );
    }
    const retired = await Promise.all(
      numbers(6).map((n) => node(n).ledger.retirePackages(5, 10, 70, 4)),
    );
    const rest = await node(0).ledger.retirePackages(5, 10, 70, 100);
    const all = [...retired, rest];
    const ids = all.flatMap(({ packages }) => packages.map(({ id }) => id));
    expect(ids.sort()).toEqual(
      numbers(20)
        .map((n) => `p${n}`)
        .sort(),
    );
    expect(all.flatMap(({ bodies }) => bodies)).toHaveLength(20);
  });

  it('admit no more uploads of an account than its limit, whichever is asked', async () => {
    const rules = { bucket: {}, of: () => ({ maxUploads: 5 }) };
    const limits = nodes.map(({ ledger }) => {
      const limit = new UploadLimits(new LedgerTotals(), ledger, () => Promise.resolve(undefined));
      return { limit, ready: limit.use(rules) };
    });
    await Promise.all(limits.map(({ ready }) => ready));
    const outcomes: boolean[] = [];
    for (const n of numbers(9)) {
      try {
        const end = await limits[Number(n) % 3]?.limit.admitForm('acme');
        await node(n).ledger.recordIssued({ key: `k${n}`, ...GRANT });
        end?.();
        outcomes.push(true);
      } catch {
        outcomes.push(false);
      }
    }
    expect(outcomes).toEqual([true, true, true, true, true, false, false, false, false]);
    // Another gateway makes room.
    await node(1).ledger.pruneIssued(NEVER, 1);
    await expect(limits[2]?.limit.admitForm('acme')).resolves.toBeDefined();
  });

  it('admit no more uploads and bytes of an account than its limits when all of them are asked at once', async () => {
    const rules = { bucket: {}, of: () => ({ maxUploads: 20, maxBytes: 10 }) };
    const limits = await Promise.all(
      nodes.map(async ({ ledger }) => {
        const limit = new UploadLimits(new LedgerTotals(), ledger, () =>
          Promise.resolve(undefined),
        );
        await limit.use(rules);
        return limit;
      }),
    );
    const limitsOf = (n: string): UploadLimits | undefined => limits[Number(n) % nodes.length];
    const count = (outcomes: readonly (string | undefined)[], wanted: string): number =>
      outcomes.filter((outcome) => outcome === wanted).length;
    const issuing = numbers(90).map(async (n) => {
      const room = limitsOf(n)?.roomForForm('acme');
      await node(n).ledger.recordIssued({ key: `k${n}`, ...GRANT }, room);
      return n;
    });
    const issued = (await Promise.allSettled(issuing)).flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value] : [],
    );
    expect(issued).toHaveLength(20);

    const storing = issued.map(async (n) => {
      const holder = await node(n).ledger.findHolder(`k${n}`);
      const file = await limitsOf(n)?.admitFile(holder, 0);
      const record = aBody(`k${n}`, `l${n}`, { size: 1 });
      return node(n)
        .ledger.recordStored(record, file?.room)
        .catch((error: unknown) => (error instanceof LimitReached ? error.limit : String(error)));
    });
    const outcomes = await Promise.all(storing);
    expect([count(outcomes, 'stored'), count(outcomes, 'maxBytes')]).toEqual([10, 10]);
    // A file of the same size replaces one at the limit.
    const [n = ''] = issued.filter((_, index) => outcomes[index] === 'stored');
    const holder = await node(n).ledger.findHolder(`k${n}`);
    const file = await limitsOf(n)?.admitFile(holder, 0);
    const again = aBody(`k${n}`, 'again', { size: 1 });
    expect(await node(n).ledger.recordStored(again, file?.room)).toBe('stored');
  });

  it('add up the same totals while they change and fold them at once', async () => {
    const totals = await Promise.all(
      nodes.map(async ({ ledger }) => {
        const counted = new LedgerTotals();
        await counted.start(ledger);
        return counted;
      }),
    );
    for (const round of numbers(5)) {
      const changes = numbers(40).map(async (n) => {
        const key = `k${String(Number(n) % 15)}`;
        await node(n).ledger.recordStored(aBody(key, `l${round}-${n}`, { size: Number(n) }));
      });
      await Promise.all([
        ...changes,
        ...nodes.map(({ ledger }) => ledger.reclaimSpace()),
        ...totals.map((each) => each.catchUp()),
      ]);
    }
    const [expected] = await runSql(
      url,
      `SELECT count(*)::integer AS count, sum(size)::integer AS bytes FROM uploads WHERE state = 'stored'`,
    );
    for (const each of totals) {
      await each.catchUp();
      expect(each.uploads.stored).toEqual(expected);
      expect(each.uploads.purging.count).toBe(185);
    }
    await node(0).ledger.reclaimSpace();
    // One for each state.
    expect(await runSql(url, 'SELECT FROM totals')).toHaveLength(2);
  });

  it('hear of a change of another one without asking', async () => {
    const heard = new Promise<string | undefined>((resolve, reject) => {
      node(0)
        .ledger.watch(({ accountId }) => {
          resolve(accountId);
        })
        .catch(reject);
    });
    await node(1).ledger.recordIssued({ key: 'k', ...GRANT });
    expect(await heard).toBe('acme');
  });

  it('report how long each change takes', async () => {
    const times: number[] = [];
    node(0).ledger.onCommit((milliseconds) => times.push(milliseconds));
    await node(0).ledger.recordIssued({ key: 'k1', ...GRANT });
    await node(0).ledger.recordStored(aBody('k2', 'l2'));
    await node(0).ledger.findUpload('k1');
    // A body of an unknown key is an update in vain, and then a transaction.
    expect(times).toHaveLength(3);
    expect(Math.min(...times)).toBeGreaterThan(0);
  });

  it('add up what each of them has seen in one span of the usage', async () => {
    const counts = { count: 1, bytes: 2 };
    const uploads = {
      ...{ issued: counts, stored: counts, claimed: counts },
      purging: counts,
      purged: counts,
    };
    const purges = { unclaimed: counts, replaced: counts, deleted: counts, retired: counts };
    await Promise.all(
      nodes.map(({ usage }) =>
        usage.add({ at: 600_000, uploads, packages: 1, refusals: 4, purges }),
      ),
    );
    const [sample] = await node(0).usage.list({ after: 0, until: NEVER, span: 600_000 });
    expect(sample).toMatchObject({ refusals: 12, uploads: { stored: counts } });
  });
});
