import { startWithAccounts } from '../../support/accounts.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, temporaryFolder } from '../../support/built-gateway.ts';
import { codeOf } from '../../support/loop.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';

const ALICE = { id: 'alice', secret: 'alicesecret' };
const BOB = { id: 'bob', secret: 'bobsecret' };
const CAROL = { id: 'carol', secret: 'carolsecret' };

describe('the quota of an account', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;

  beforeEach(async () => {
    folder = await temporaryFolder();
    const accounts = [
      { id: 'acme', accessKeys: [ALICE, BOB] },
      { id: 'globex', accessKeys: [CAROL] },
    ];
    gateway = await startWithAccounts(folder.path, accounts, { OTA_GATEWAY_QPS: 'on' });
  });

  afterEach(async () => {
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  });

  const sign = (key: typeof ALICE, turn: number): Promise<unknown> => {
    const sdk = SDK_CLIENTS[turn % SDK_CLIENTS.length];
    if (sdk === undefined) throw new Error('there is no client');
    return codeOf(sdk.call({ url: gateway.url, key }, 'GenerateOTAUploadURL'));
  };

  it('lets two RAM users make 10 of 12 calls in a second, spares other accounts, and recovers', async () => {
    const begun = performance.now();
    const calls = Array.from({ length: 12 }, (_, turn) => sign(turn < 6 ? ALICE : BOB, turn));
    const codes = await Promise.all(calls);
    const others = await Promise.all(Array.from({ length: 10 }, (_, turn) => sign(CAROL, turn)));
    // On a slower machine the result would prove nothing.
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(codes.filter((code) => code === 'ok')).toHaveLength(10);
    expect(codes.filter((code) => code === 'Throttling.User')).toHaveLength(2);
    expect(new Set(others)).toEqual(new Set(['ok']));

    await eventually(async () => (await sign(ALICE, 0)) === 'ok', 5000);
    expect(performance.now() - begun).toBeGreaterThan(900);
    // The second slides: the next call may have to wait until another one of the first calls has left it.
    await eventually(async () => (await sign(BOB, 1)) === 'ok', 5000);
  });
});
