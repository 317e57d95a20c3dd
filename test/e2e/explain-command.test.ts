import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formFields } from '../../src/client/post-object.ts';
import { explainedShape, judgedShape, pageOf, refusalShape } from '../../src/operator/shapes.ts';
import { ACCOUNT_KEY, BUCKET_KEY, runCli } from '../support/built-gateway.ts';
import { grantFrom } from '../support/loop.ts';
import { gatewayForSuite } from '../support/suite.ts';

/** Each test starts several processes. */
jest.setTimeout(30_000);

describe('ota-gateway explain', () => {
  const gateway = gatewayForSuite();
  let key: string;
  let requestId: string;
  let form: Record<string, string>;

  beforeAll(async () => {
    const grant = await grantFrom(gateway.url);
    key = grant.key;
    form = Object.fromEntries(formFields(grant));
    const body = new FormData();
    for (const [name, value] of Object.entries({
      ...{ key: `${key}x`, policy: grant.policy },
      ...{ OSSAccessKeyId: grant.accessKeyId, Signature: grant.signature },
    })) {
      body.append(name, value);
    }
    body.append('file', new Blob(['firmware']), 'app.bin');
    const response = await fetch(gateway.url, { method: 'POST', body });
    requestId = response.headers.get('x-oss-request-id') ?? '';
  });

  const run = (...args: string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--data-dir', gateway.dataDir]);

  it('tells by the id of a request which condition is not met', async () => {
    const { code, stdout } = await run('explain', requestId);
    expect(code).toBe(0);
    expect(stdout).toContain('PostObject was refused with 403 AccessDenied (condition_failed)');
    expect(stdout).toContain(`NOT MET  ["eq", "$key", "${key}"]`);
    expect(stdout).toContain(`sent key = "${key}x"`);
    const json = await run('explain', requestId, '--json');
    expect(explainedShape.parse(JSON.parse(json.stdout)).refusal.requestId).toBe(requestId);
  });

  it('finds the refusals that named a key, and all of them by their reason', async () => {
    expect((await run('explain', `${key}x`)).stdout).toContain('NOT MET');
    expect((await run('explain')).stdout).toMatch(
      /1 {2}condition_failed +last .* ago: [0-9A-F]{24}/,
    );
    const list = await run('ls', 'refusals', '--reason', 'condition_failed', '--json');
    expect(pageOf(refusalShape).parse(JSON.parse(list.stdout)).items).toHaveLength(1);
  });

  it('says of an unknown id that refusals of the operator API are not kept', async () => {
    const url = `${gateway.url}/_gateway/api/uploads`;
    const headers = { authorization: `Basic ${btoa(`${ACCOUNT_KEY.id}:wrong`)}` };
    const refused = await fetch(url, { headers });
    const { code, stderr } = await run('explain', refused.headers.get('x-request-id') ?? '');
    expect([refused.status, code]).toEqual([401, 1]);
    expect(stderr).toMatch(/no refused request .* operator API are only in the log$/m);
  });

  it('asks the gateway of an endpoint, too', async () => {
    const { stdout } = await run(
      ...['explain', requestId, '--endpoint', gateway.url],
      ...['--access-key-id', ACCOUNT_KEY.id, '--access-key-secret', ACCOUNT_KEY.secret],
    );
    expect(stdout).toContain('NOT MET');
  });

  it('judges a form from a file and from flags, in the folder and by its gateway', async () => {
    const file = join(gateway.folder, 'form.txt');
    const lines = Object.entries(form).map(([name, value]) => `${name}=${value}`);
    await writeFile(file, lines.join('\n'));
    const right = await runCli(['explain', '--form', file, '--data-dir', gateway.dataDir], {
      OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
      OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
      OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
      OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
    });
    expect([right.code, right.stderr]).toEqual([0, '']);
    expect(right.stdout).toContain(`met      ["eq", "$key", "${key}"]`);
    const account = ['--access-key-id', ACCOUNT_KEY.id, '--access-key-secret', ACCOUNT_KEY.secret];
    const wrong = await run(
      ...['explain', '--policy', form['policy'] ?? '', '--signature', form['Signature'] ?? ''],
      ...['-f', `OSSAccessKeyId=${form['OSSAccessKeyId'] ?? ''}`, '-f', 'key=other', '--json'],
      ...['--endpoint', gateway.url, ...account],
    );
    expect(wrong.code).toBe(3);
    expect(judgedShape.parse(JSON.parse(wrong.stdout))).toMatchObject({ accepted: false });
    expect(wrong.stdout).toContain('first difference at character 3');
    await writeFile(file, 'nonsense');
    expect(await run('explain', '--form', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Write each field as name=value'),
    });
  });

  it('fails for what was never refused, and says where to look', async () => {
    const { code, stderr } = await run('explain', '0'.repeat(24));
    expect(code).toBe(1);
    expect(stderr).toContain('`ota-gateway ls refusals` lists them');
  });
});
