import { Client } from 'pg';
import { openExistingPostgresRecords } from '../../src/ledger/postgres/records.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { LedgerUnavailable } from '../../src/uploads/unavailable.ts';
import { aBody } from '../contract/upload-ledger-contract.ts';
import { createSchema, openNode, postgresUrl, runSql } from './support/postgres.ts';
import type { OpenRecords } from './support/postgres.ts';
import { TcpProxy } from './support/tcp-proxy.ts';

const GRANT = { accountId: 'acme', issuedAt: 1, policyExpiresAt: 2 };
/** Short, because the tests wait for them. */
const HASTY = { connect: 500, statement: 300 };

/** Names the connections of this file. */
const APPLICATION = `fault-test-${String(process.pid)}`;

/** Ends the connections of the gateway, as an administrator or a stop of the server does. */
async function terminate(): Promise<void> {
  await runSql(
    postgresUrl(),
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1',
    [APPLICATION],
  );
}

/** Waits until a connection of the gateway waits for a lock. */
async function untilWaiting(): Promise<void> {
  let waiting: object[] = [];
  while (waiting.length === 0) {
    waiting = await runSql(
      postgresUrl(),
      "SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
      [APPLICATION],
    );
  }
}

describe('a ledger in PostgreSQL', () => {
  let url: string;
  let drop: () => Promise<void>;
  let node: OpenRecords | undefined;
  let proxy: TcpProxy | undefined;

  beforeEach(async () => {
    ({ drop, url } = await createSchema());
  });

  afterEach(async () => {
    proxy?.pass();
    await node?.ledger.close();
    await proxy?.close();
    [node, proxy] = [undefined, undefined];
    await drop();
  });

  async function openBehindProxy(connections = 4) {
    await (await openNode(url)).ledger.close();
    proxy = await TcpProxy.start(new URL(url));
    node = await openNode(proxy.through(new URL(url)).href, { connections, timeouts: HASTY });
    return { ...node, proxy };
  }

  async function openNamed(): Promise<OpenRecords> {
    const named = new URL(url);
    named.searchParams.set('application_name', APPLICATION);
    node = await openNode(named.href);
    return node;
  }

  it('goes on after its idle connections were ended', async () => {
    const { ledger } = await openNamed();
    await Promise.all(['k1', 'k2', 'k3'].map((key) => ledger.recordIssued({ key, ...GRANT })));
    await terminate();
    const calls = ['k4', 'k5', 'k6', 'k7'].map((key) => ledger.recordIssued({ key, ...GRANT }));
    await Promise.allSettled(calls);
    await ledger.recordIssued({ key: 'k8', ...GRANT });
    expect(await ledger.findUpload('k8')).toMatchObject({ state: 'issued' });
  });

  it('fails a call whose connection is ended, and goes on with the next one', async () => {
    const { ledger } = await openNamed();
    await ledger.recordIssued({ key: 'k1', ...GRANT });
    const blocker = new Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE uploads');
    const storing = expect(ledger.recordStored(aBody('k1', 'l1'))).rejects.toMatchObject({
      name: 'LedgerUnavailable',
      cause: { code: '57P01' },
    });
    await untilWaiting();
    await terminate();
    await storing;
    await blocker.end();
    expect(await ledger.recordStored(aBody('k1', 'l1'))).toBe('stored');
  });

  it('gives up a statement that waits for a lock too long, and keeps its connection', async () => {
    const { ledger, proxy: network } = await openBehindProxy(1);
    await ledger.recordIssued({ key: 'k1', ...GRANT });
    const blocker = new Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE uploads');
    // 57014: the statement took too long; 55P03: the lock did.
    await expect(ledger.recordStored(aBody('k1', 'l1'))).rejects.toMatchObject({
      name: 'LedgerUnavailable',
      cause: { code: expect.stringMatching(/^(?:57014|55P03)$/) },
    });
    expect(network.connections).toBe(1);
    await blocker.end();
    expect(await ledger.recordStored(aBody('k1', 'l1'))).toBe('stored');
  });

  it('fails a call when the server stands still, and goes on once it answers', async () => {
    const { ledger, proxy: network } = await openBehindProxy();
    await ledger.recordIssued({ key: 'k1', ...GRANT });
    network.hold();
    await expect(ledger.findUpload('k1')).rejects.toThrow('Query read timeout');
    // No connection is left by now, and none can be opened.
    await expect(ledger.findUpload('k1')).rejects.toThrow(/timeout/);
    network.pass();
    expect(await ledger.findUpload('k1')).toMatchObject({ state: 'issued' });
  });

  it('fails every one of many calls when the server stands still', async () => {
    const { ledger, proxy: network } = await openBehindProxy(2);
    await ledger.recordIssued({ key: 'k1', ...GRANT });
    network.hold();
    const calls = Array.from({ length: 20 }, () => ledger.findUpload('k1'));
    const outcomes = await Promise.allSettled(calls);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'LedgerUnavailable' } });
    }
    network.pass();
    expect(await ledger.findUpload('k1')).toMatchObject({ state: 'issued' });
  });

  it('fails while the server refuses connections, and goes on when it is back', async () => {
    const { ledger, nonces, proxy: network } = await openBehindProxy();
    await ledger.recordIssued({ key: 'k1', ...GRANT });
    network.refuse();
    await expect(ledger.findUpload('k1')).rejects.toThrow(LedgerUnavailable);
    await expect(ledger.recordStored(aBody('k1', 'l1'))).rejects.toThrow(LedgerUnavailable);
    await expect(nonces.burn('ak', 'n', 1)).rejects.toThrow(LedgerUnavailable);
    network.pass();
    expect(await ledger.recordStored(aBody('k1', 'l1'))).toBe('stored');
    expect(await nonces.burn('ak', 'n', 1)).toBe(true);
  });

  it('fails a call that finds every connection in use, and keeps what is not its fault', async () => {
    const { ledger } = await openBehindProxy(1);
    const waits: number[] = [];
    ledger.onConnect?.((milliseconds) => waits.push(milliseconds));
    const blocker = new Client({ connectionString: url });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE uploads');
    // Longer than the second call waits for the connection.
    const waiting = ledger.recordStored(aBody('k1', 'l1')).catch((error: unknown) => error);
    const late = Array.from({ length: 3 }, () => ledger.findUpload('k1'));
    for (const outcome of await Promise.allSettled(late)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'LedgerUnavailable' } });
    }
    await waiting;
    await blocker.end();
    expect(waits.length).toBeGreaterThanOrEqual(4);
    const key = { key: 'k1', ...GRANT };
    await ledger.recordIssued(key);
    await expect(ledger.recordIssued(key)).rejects.toMatchObject({ code: '23505' });
  });

  it('keeps the totals up to date after the server was away', async () => {
    const { ledger, proxy: network } = await openBehindProxy();
    let uploads = 0;
    await ledger.watch((change) => {
      if (change.kind === 'uploads')
        uploads += change.to === undefined ? -change.count : change.count;
    });
    network.refuse();
    await expect(ledger.catchUp?.()).rejects.toHaveProperty('message');
    network.pass();
    await ledger.recordIssued({ key: 'k1', ...GRANT });
    await ledger.catchUp?.();
    expect(uploads).toBe(1);
  });

  it('leaves a server that has become a read-only one', async () => {
    const role = `reader_${String(process.pid)}`;
    const { password } = new URL(url);
    await runSql(url, `CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${password}'`);
    await runSql(url, `ALTER ROLE ${role} SET default_transaction_read_only = on`);
    await (await openNode(url)).ledger.close();
    const reading = new URL(url);
    reading.username = role;
    const reader = await openExistingPostgresRecords(
      { url: reading.href, connections: 1 },
      silentLogger,
    );
    try {
      const grant = { key: 'k1', ...GRANT };
      await expect(reader.ledger.recordIssued(grant)).rejects.toMatchObject({
        name: 'LedgerUnavailable',
        cause: { code: '25006' },
      });
      await runSql(url, `ALTER ROLE ${role} RESET default_transaction_read_only`);
      // On the connection of before, it would fail for ever.
      await reader.ledger.recordIssued(grant);
      expect(await reader.ledger.findUpload('k1')).toMatchObject({ state: 'issued' });
    } finally {
      await reader.ledger.close();
      await runSql(url, `DROP ROLE ${role}`);
    }
  });
});
