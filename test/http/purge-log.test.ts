import { RetainedNonces } from '../../src/iot/retained-nonces.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { engineUnderTest } from '../support/engine.ts';
import { startTestGateway } from '../support/gateways.ts';

interface Line {
  readonly level: string;
  readonly text: string;
  readonly details: object;
}

const lines: Line[] = [];
const add = (level: string) => (details: object, text: string) => {
  if (!('dialect' in details)) lines.push({ level, text, details });
};
const logger = {
  ...silentLogger,
  ...{ debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error') },
};
const linesOf = (...levels: readonly string[]): Line[] =>
  lines.filter(({ level }) => levels.includes(level));

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway({ parts: { logger } });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await gateway.close();
});

/** Makes two uploads whose deadline has passed. */
async function makeDue(): Promise<void> {
  await gateway.seed({ state: 'stored', bytes: '12345' });
  await gateway.seed({ state: 'stored', bytes: '123' });
  gateway.clock.advance({ minutes: 61 });
  lines.length = 0;
}

const withCode = (code: string): Error => Object.assign(new Error('refused'), { code });

it('a run leaves one line with counts and bytes, and one for each body at the level debug', async () => {
  await makeDue();
  await gateway.purgeUnclaimed();
  expect(linesOf('info', 'warn', 'error')).toEqual([
    {
      ...{ level: 'info', text: 'purged 2 files' },
      details: { purged: 2, failed: 0, bytes: 8, ms: expect.any(Number) },
    },
  ]);
  expect(linesOf('debug')).toHaveLength(2);
  expect(linesOf('debug')[0]).toMatchObject({
    text: 'purged a body',
    details: { reason: 'unclaimed', size: expect.any(Number), key: expect.any(String) },
  });
});

it('a run without anything to delete has its line at the level debug', async () => {
  lines.length = 0;
  await gateway.purgeUnclaimed();
  expect(lines).toMatchObject([{ level: 'debug', text: 'purged nothing' }]);
});

it('bodies that cannot be deleted are counted in the line of the run, which says what to do', async () => {
  await makeDue();
  jest.spyOn(engineUnderTest().storeMethods, 'delete').mockRejectedValue(withCode('EACCES'));
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 0, failed: 2 });
  const text =
    'purged 0 files, could not delete 2 files: check the owner and the permissions of the data folder';
  expect(linesOf('info', 'warn', 'error')).toMatchObject([
    { level: 'error', text, details: { err: { code: 'EACCES' }, failed: 2 } },
  ]);
});

it.each([
  ['SQLITE_FULL', /^the purge failed, purged 0 files: .*free some space/],
  ['EACCES', /^the purge failed, purged 0 files: .*permissions of the data folder/],
  ['EIO', /^the purge failed, purged 0 files: .*ota-gateway fsck/],
])('a run that fails with %s leaves one line that says what to do', async (code, text) => {
  jest.spyOn(gateway.records.ledger, 'takePurging').mockRejectedValue(withCode(code));
  lines.length = 0;
  await expect(gateway.purgeUnclaimed()).rejects.toMatchObject({ code });
  expect(lines).toEqual([
    {
      ...{ level: 'error', text: expect.stringMatching(text) },
      details: expect.objectContaining({ err: expect.objectContaining({ code }), purged: 0 }),
    },
  ]);
});

it.each(['uncommitted', 'takePurging', 'prune'] as const)(
  'old nonces and refusals are removed also when %s fails',
  async (method) => {
    const { ledger, refusals } = gateway.records;
    if (refusals === undefined) throw new Error('there are no refusals');
    const pruned = jest.spyOn(refusals, 'prune');
    const nonce = jest.spyOn(RetainedNonces.prototype, 'prune');
    if (method === 'prune') nonce.mockRejectedValue(withCode('EIO'));
    else if (method === 'takePurging')
      jest.spyOn(ledger, method).mockRejectedValue(withCode('EIO'));
    else jest.spyOn(engineUnderTest().storeMethods, method).mockRejectedValue(withCode('EIO'));
    await expect(gateway.purgeUnclaimed()).rejects.toMatchObject({ code: 'EIO' });
    expect(nonce).toHaveBeenCalled();
    expect(pruned).toHaveBeenCalledTimes(1);
  },
);
