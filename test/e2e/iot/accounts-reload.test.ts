import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callApi, generateOTAUploadURL } from '../../../src/client/api-client.ts';
import { accountsText, startWithAccounts } from '../../support/accounts.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import { apiOf, codeOf } from '../../support/loop.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { beginToPost } from '../../support/tls-client.ts';

const ALICE = { id: 'alice', secret: 'alicesecret' };
const BOB = { id: 'bob', secret: 'bobsecret' };
const CAROL = { id: 'carol', secret: 'carolsecret' };
const DAVE = { id: 'dave', secret: 'davesecret' };

const ACCOUNTS = [
  { id: 'acme', accessKeys: [ALICE, BOB] },
  { id: 'globex', accessKeys: [CAROL] },
];

function sign({ url }: BuiltGateway, key: typeof ALICE): Promise<unknown> {
  return codeOf(callApi(apiOf(url, key), 'GenerateOTAUploadURL'));
}

/** Makes one call after another until a condition is true. @returns the codes of the responses */
async function callUntil(gateway: BuiltGateway, isOver: () => boolean): Promise<unknown[]> {
  const codes: unknown[] = [];
  while (!isOver()) codes.push(await sign(gateway, CAROL));
  return codes;
}

const EXPECTED_JSON =
  'expected. Expected {"accounts":[{"id":"...","accessKeys":[{"id":"...","secret":"..."}]}]}, without comments';

describe('SIGHUP', () => {
  const folder = folderForEachTest();

  const rewrite = (text: string): Promise<void> =>
    writeFile(join(folder.path, 'accounts.json'), text);

  it('reads the file again without dropping a request', async () => {
    const gateway = await startWithAccounts(folder.path, ACCOUNTS);
    const grant = await generateOTAUploadURL(apiOf(gateway.url, CAROL));
    const postTheRest = await beginToPost(grant);
    let over = false;
    const callers = Array.from({ length: 8 }, () => callUntil(gateway, () => over));

    for (let turn = 0; turn < 10; turn += 1) {
      const disabled = turn % 2 === 0;
      const next = [
        { id: 'acme', accessKeys: [{ ...ALICE, disabled }, DAVE] },
        { id: 'globex', accessKeys: [CAROL] },
      ];
      await rewrite(accountsText(next));
      process.kill(gateway.pid, 'SIGHUP');
      const expected = disabled ? 'InvalidAccessKeyId.Inactive' : 'ok';
      await eventually(async () => (await sign(gateway, ALICE)) === expected);
    }
    over = true;
    const codes = (await Promise.all(callers)).flat();
    expect(codes.length).toBeGreaterThan(80);
    expect(new Set(codes)).toEqual(new Set(['ok']));
    expect(await postTheRest()).toBe(200);
    expect(await sign(gateway, DAVE)).toBe('ok');
    expect(await sign(gateway, BOB)).toBe('InvalidAccessKeyId.NotFound');
    expect(gateway.output()).toContain('read the accounts file again');
    expect(await gateway.stop()).toBe(0);
  });

  it('logs a message when there is no accounts file', async () => {
    const gateway = await startBuiltGateway(join(folder.path, 'data'));
    process.kill(gateway.pid, 'SIGHUP');
    await eventually(() => gateway.output().includes('there is no accounts file to read again'));
    expect(gateway.output()).not.toContain('read the accounts file again');
    expect(await codeOf(callApi(apiOf(gateway.url), 'GenerateOTAUploadURL'))).toBe('ok');
    expect(await gateway.stop()).toBe(0);
  });

  it.each([
    [
      'invalid JSON',
      (text: string) => text.replace('"secret":', '"secret"'),
      8,
      `this is not JSON: colon ${EXPECTED_JSON}`,
    ],
    [
      'an unknown member',
      (text: string) => text.replace('"acme",', '"acme",\n "instance": "iot-a",'),
      5,
      'accounts.0: Unrecognized key: "instance"',
    ],
    [
      'an access key given twice',
      (text: string) => text.replace('"id": "carol"', '"id": "alice"'),
      20,
      'accounts.1.accessKeys.0.id: access key alice is given at accounts.0.accessKeys.0.id already',
    ],
    ['an empty file', () => '', 1, `this is not JSON: value ${EXPECTED_JSON}`],
  ])(
    'rejects %s with its line, and keeps the old accounts',
    async (_case, change, line, reason) => {
      const gateway = await startWithAccounts(folder.path, ACCOUNTS);
      const file = join(folder.path, 'accounts.json');
      await rewrite(change(accountsText(ACCOUNTS)));
      process.kill(gateway.pid, 'SIGHUP');
      await eventually(() => gateway.output().includes('the old accounts stay'));
      const logged = gateway
        .output()
        .split('\n')
        .find((text) => text.includes('the old accounts stay'));
      expect(JSON.parse(logged ?? '')).toMatchObject({
        level: 'error',
        msg: 'the accounts file cannot be used; the old accounts stay',
        err: { message: `OTA_GATEWAY_ACCOUNTS_FILE: ${file}:${String(line)}: ${reason}` },
      });
      for (const key of [ALICE, BOB]) expect(await sign(gateway, key)).toBe('ok');
      expect(await sign(gateway, CAROL)).toBe('ok');

      await rewrite(accountsText([{ id: 'globex', accessKeys: [DAVE] }]));
      process.kill(gateway.pid, 'SIGHUP');
      await eventually(async () => (await sign(gateway, DAVE)) === 'ok');
      expect(await sign(gateway, CAROL)).toBe('InvalidAccessKeyId.NotFound');
      for (const { secret } of [ALICE, BOB, CAROL, DAVE]) {
        expect(gateway.output()).not.toContain(secret);
      }
      expect(await gateway.stop()).toBe(0);
    },
  );
});
