import type { RequestRecord } from '../../../src/http/request-record.ts';
import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../../../src/metrics/definitions.ts';
import { GatewayMetrics } from '../../../src/metrics/gateway-metrics.ts';
import { REFUSAL_REASONS } from '../../../src/refusals/refusal-reason.ts';
import type { MetricsDependencies } from '../../../src/metrics/gateway-metrics.ts';
import type { MetricSources } from '../../../src/metrics/sources.ts';
import { knownNames } from '../../../src/monitoring.ts';
import type { FailedTryListener } from '../../../src/uploads/ports.ts';
import { LedgerTotals } from '../../../src/uploads/ledger-totals.ts';

const { ledger } = createMemoryRecords();

afterAll(() => ledger.close());

function createMetrics(
  change: Partial<MetricSources> = {},
  store: MetricsDependencies['store'] = {},
  network: Pick<MetricsDependencies['ledger'], 'onConnect'> = {},
): GatewayMetrics {
  const sources: MetricSources = {
    ...{ version: '1.2.3', node: '20.19.0', connectionsLimit: 10, reserved: 7 },
    ...{ claimTtl: 3_600_000, maxUpload: 1000, totals: new LedgerTotals() },
    now: () => 5000,
    connections: () => 3,
    oldestStored: () => Promise.resolve(2000),
    disk: () => Promise.resolve({ free: 50, size: 100 }),
    ledgerSize: () => Promise.resolve(4096),
    backlog: () => ({ fullJournals: 1, digests: 2 }),
    ledgerClockAhead: () => undefined,
    isStoreFailing: () => false,
    isReady: () => Promise.resolve(true),
    ...change,
  };
  const watched: MetricsDependencies['ledger'] = {
    watch: (watcher) => ledger.watch(watcher),
    onCommit: (listener) => {
      ledger.onCommit(listener);
    },
    ...network,
  };
  return new GatewayMetrics({ sources, ledger: watched, store, known: knownNames() });
}

function recordOf(change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    ...{ requestId: 'r', traceId: undefined, dialect: 'oss', operation: 'PostObject', code: 'OK' },
    ...{ status: 200, reason: undefined, account: undefined, keys: [], from: undefined },
    ...{ to: undefined, bytesIn: 0, bytesOut: 0, ms: 0, peer: undefined, at: 0 },
    ...change,
  };
}

/** @returns the series of a text by their names and labels */
async function read(metrics: GatewayMetrics): Promise<Map<string, number>> {
  const { text } = await metrics.render();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', value] = /^(.*) (\S+)$/.exec(line) ?? [];
      return [name.replace(/^ota_gateway_/, ''), value === 'Nan' ? NaN : Number(value)];
    }),
  );
}

describe('requests', () => {
  it('are counted with their duration and bytes', async () => {
    const metrics = createMetrics();
    await metrics.start();
    metrics.responded(recordOf({ ms: 20, bytesIn: 100, bytesOut: 5 }));
    metrics.responded(recordOf({ ms: 2000, code: 'AccessDenied', reason: 'policy_expired' }));
    const found = await read(metrics);
    const post = 'dialect="oss",operation="PostObject"';
    expect(found.get(`requests_total{${post},code="OK"}`)).toBe(1);
    expect(found.get(`requests_total{${post},code="AccessDenied"}`)).toBe(1);
    expect(found.get('refusals_total{dialect="oss",reason="policy_expired"}')).toBe(1);
    expect(found.get('received_bytes_total{operation="PostObject"}')).toBe(100);
    expect(found.get('sent_bytes_total{operation="PostObject"}')).toBe(5);
    expect(found.get(`request_duration_seconds_bucket{le="0.025",${post}}`)).toBe(1);
    expect(found.get(`request_duration_seconds_sum{${post}}`)).toBeCloseTo(2.02);
  });

  it('have series for internal errors from the start', async () => {
    const found = await read(createMetrics());
    const internal = [...found].filter(([name]) => name.includes('code="InternalError"'));
    // 6 actions, 6 operations of OSS, and the others of each of the 4 dialects.
    expect(internal).toHaveLength(16);
    expect(internal.map(([, value]) => value)).toEqual(internal.map(() => 0));
  });

  it('are in flight until they have ended, also those that began before counting', async () => {
    const metrics = createMetrics();
    const inFlight = async (): Promise<unknown> =>
      (await read(metrics)).get('requests_in_flight{dialect="iot"}');
    metrics.begun('iot');
    metrics.begun('iot');
    expect(await inFlight()).toBe(2);
    metrics.ended('iot');
    expect(await inFlight()).toBe(1);
    // Refused by the listener: it has not begun.
    metrics.responded(recordOf({ dialect: 'http' }));
    expect(await inFlight()).toBe(1);
  });

  it('are not counted before somebody wants the metrics', async () => {
    const metrics = createMetrics();
    metrics.responded(recordOf());
    const found = await read(metrics);
    expect(found.get('requests_total{dialect="oss",operation="PostObject",code="OK"}')).toBe(0);
  });
});

describe('labels', () => {
  it('have the value other for every name that is not known', async () => {
    const metrics = createMetrics();
    await metrics.start();
    metrics.responded(
      recordOf({ operation: 'Evil"\n', code: 'NoSuchCode', reason: Object.create(null) }),
    );
    metrics.responded(recordOf({ dialect: 'operator', operation: undefined }));
    const found = await read(metrics);
    expect(found.get('requests_total{dialect="oss",operation="other",code="other"}')).toBe(1);
    expect(found.get('refusals_total{dialect="oss",reason="other"}')).toBe(1);
    expect(found.get('requests_total{dialect="operator",operation="other",code="OK"}')).toBe(1);
    expect([...found.keys()].join()).not.toContain('Evil');
  });

  it('have fewer than 300 sets in all after any traffic', async () => {
    const metrics = createMetrics();
    await metrics.start(true);
    const { codes, operations } = knownNames();
    for (const dialect of ['iot', 'oss', 'operator', 'http'] as const) {
      for (const operation of [...(operations[dialect] ?? []), 'Invented']) {
        for (const code of [...codes, 'OK', 'Invented']) {
          metrics.responded(recordOf({ dialect, operation, code, bytesIn: 1, bytesOut: 1 }));
        }
      }
      for (const reason of REFUSAL_REASONS) metrics.responded(recordOf({ dialect, reason }));
    }
    const found = await read(metrics);
    const sets = new Set(
      [...found.keys()].map((series) =>
        series
          .replace(/_(?:bucket|sum|count)(?=\{|$)/, '')
          .replace(/le="[^"]*",?/, '')
          .replace('{}', ''),
      ),
    );
    expect(sets.size).toBeGreaterThan(200);
    expect(sets.size).toBeLessThan(300);
  });
});

describe('uploads', () => {
  it('are counted by what happens to them', async () => {
    const metrics = createMetrics();
    await metrics.start();
    const { observer } = metrics;
    const object = { locator: 'l', size: 5000, md5: '', crc64: '', storedAt: 0, headers: {} };
    observer.issued?.({ key: 'k', accountId: 'a', issuedAt: 0, policyExpiresAt: 1 });
    observer.stored?.('k', object);
    observer.finished?.(30);
    observer.dated?.(45_000);
    observer.claimed?.(
      {
        ...{ id: 'p', accountId: 'a', name: 'n', destVersion: '1', differential: false },
        ...{ moduleName: 'm', signMethod: 'MD5', status: 0, verifyProgress: 0, modifiedAt: 0 },
        ...{ createdAt: 100_000, files: [{ key: 'k', size: 5000, sign: '', md5: '' }] },
      },
      [90_000],
    );
    const body = { sequence: 1, key: 'k', locator: 'l', size: 5000 };
    observer.purged?.({ ...body, reason: 'replaced' });
    const found = await read(metrics);
    expect(found.get('grants_issued_total')).toBe(1);
    expect(found.get('uploads_stored_total')).toBe(1);
    expect(found.get('upload_size_bytes_bucket{le="65536"}')).toBe(1);
    expect(found.get('upload_finish_seconds_sum')).toBeCloseTo(0.03);
    expect(found.get('client_clock_skew_seconds_bucket{le="60"}')).toBe(1);
    expect(found.get('client_clock_skew_seconds_bucket{le="30"}')).toBe(0);
    expect(found.get('uploads_claimed_total')).toBe(1);
    expect(found.get('claim_age_seconds_sum')).toBe(10);
    expect(found.get('uploads_purged_total{reason="replaced"}')).toBe(1);
    expect(found.get('purged_bytes_total{reason="replaced"}')).toBe(5000);
    expect(found.get('uploads_purged_total{reason="unclaimed"}')).toBe(0);
  });

  it('are shown as the ledger has them, although they were there before', async () => {
    const totals = new LedgerTotals();
    const metrics = createMetrics({ totals });
    const object = { locator: 'm1', size: 7, md5: '', crc64: '', storedAt: 2000, headers: {} };
    await ledger.recordStored({ key: 'm', object, forbidOverwrite: false });
    const before = await read(metrics);
    expect(before.get('uploads{state="stored"}')).toBe(1);
    expect(before.get('stored_bytes{state="stored"}')).toBe(7);
    expect(before.get('oldest_unclaimed_timestamp_seconds')).toBe(2);
    await ledger.deleteUpload('m', 'm1', 3000);
    const after = await read(metrics);
    expect(after.get('uploads{state="stored"}')).toBe(0);
    expect(after.get('uploads{state="purging"}')).toBe(1);
    expect(after.get('ledger_commit_seconds_count')).toBeGreaterThan(0);
  });
});

describe('runs of the purge', () => {
  it('are counted by their outcome, and a success has its time', async () => {
    const clock = { time: 5000 };
    const metrics = createMetrics({ now: () => clock.time });
    await metrics.start();
    clock.time = 9000;
    metrics.observer.purgeRan?.({ outcome: 'failed', milliseconds: 20 });
    metrics.observer.purgeRan?.({ outcome: 'skipped', milliseconds: 0 });
    const before = await read(metrics);
    expect(before.get('purge_last_success_timestamp_seconds')).toBe(5);
    metrics.observer.purgeRan?.({ outcome: 'done', milliseconds: 80 });
    const after = await read(metrics);
    expect(after.get('purge_last_success_timestamp_seconds')).toBe(9);
    expect(after.get('purge_runs_total{outcome="done"}')).toBe(1);
    expect(after.get('purge_runs_total{outcome="failed"}')).toBe(1);
    expect(after.get('purge_runs_total{outcome="skipped"}')).toBe(1);
    expect(after.get('purge_duration_seconds_count')).toBe(2);
  });
});

it('counts the failed tries of a store by their failure, and those that were tried again', async () => {
  const listeners: FailedTryListener[] = [];
  const metrics = createMetrics(
    { isStoreFailing: () => true },
    { onFailedTry: (listener) => listeners.push(listener) },
  );
  await metrics.start();
  for (const listener of listeners) {
    listener('silent', true);
    listener('silent', false);
    listener('full', false);
  }
  const found = await read(metrics);
  expect(found.get('store_failures_total{failure="silent"}')).toBe(2);
  expect(found.get('store_failures_total{failure="full"}')).toBe(1);
  expect(found.get('store_failures_total{failure="failing"}')).toBe(0);
  expect(found.get('store_retries_total')).toBe(1);
  expect(found.get('store_failing')).toBe(1);
});

it('measures the clock of a ledger in the network, and what calls wait for its connections', async () => {
  const waits: ((milliseconds: number) => void)[] = [];
  const metrics = createMetrics(
    { ledgerClockAhead: () => -1500 },
    {},
    { onConnect: (listener) => waits.push(listener) },
  );
  await metrics.start();
  for (const wait of waits) wait(200);
  const found = await read(metrics);
  expect(found.get('ledger_clock_ahead_seconds')).toBe(-1.5);
  expect(found.get('ledger_connect_seconds_bucket{le="0.1"}')).toBe(0);
  expect(found.get('ledger_connect_seconds_bucket{le="0.5"}')).toBe(1);
  const single = await read(createMetrics());
  expect(single.get('ledger_clock_ahead_seconds')).toBeNaN();
  expect(single.get('store_failing')).toBe(0);
});

it('measures what it asks for, and has NaN for what cannot be measured', async () => {
  const found = await read(createMetrics());
  expect(found.get('disk_free_bytes')).toBe(50);
  expect(found.get('disk_reserved_bytes')).toBe(7);
  expect(found.get('ledger_size_bytes')).toBe(4096);
  expect(found.get('connections')).toBe(3);
  expect(found.get('journals_full')).toBe(1);
  expect(found.get('sha256_pending')).toBe(2);
  expect(found.get('ready')).toBe(1);
  expect(found.get('build_info{version="1.2.3",node="20.19.0"}')).toBe(1);
  const nothing = await read(
    createMetrics({
      disk: () => Promise.resolve(undefined),
      isReady: () => Promise.resolve(false),
      oldestStored: () => Promise.resolve(undefined),
    }),
  );
  expect(nothing.get('ready')).toBe(0);
  expect(nothing.get('oldest_unclaimed_timestamp_seconds')).toBe(0);
  expect(nothing.get('disk_free_bytes')).toBeNaN();
});

it('measures the process only when it is asked to, without the gauges that end as counters', async () => {
  const names = async (ofProcess: boolean): Promise<string> => {
    const metrics = createMetrics();
    await metrics.start(ofProcess);
    return (await metrics.render()).text;
  };
  const [without, withProcess] = [await names(false), await names(true)];
  expect(without).not.toMatch(/^(?:process|nodejs)_/m);
  expect(withProcess).toMatch(/^process_resident_memory_bytes \d/m);
  expect(withProcess).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  expect(withProcess).not.toMatch(/nodejs_active_\w+/);
});

it('has each metric of the table in its text, with the help', async () => {
  const { text } = await createMetrics().render();
  const definitions = { ...COUNTERS, ...GAUGES, ...HISTOGRAMS };
  expect(Object.keys(definitions).length).toBeGreaterThan(30);
  for (const [name, { help }] of Object.entries(definitions)) {
    expect(text).toContain(`# HELP ota_gateway_${name} ${help}\n`);
  }
  for (const { buckets } of Object.values(HISTOGRAMS)) {
    expect(buckets.length).toBeLessThanOrEqual(8);
  }
});
