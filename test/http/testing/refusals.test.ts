import type { TestGateway } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway.close());

const fails = (work: Promise<unknown>): Promise<void> => expect(work).rejects.toThrow();

describe('gateway.refusals', () => {
  it('lists what both dialects have refused, oldest first', async () => {
    const { key } = await gateway.seed({ state: 'stored' });
    const { grant } = await gateway.seed({ state: 'issued' });
    await fails(gateway.api.queryOTAFirmware({ firmwareId: 'nothing' }));
    await gateway.postObject(grant, 'x', { fields: { signature: 'wrong' } });
    gateway.clock.advance({ seconds: 61 });
    await gateway.postObject(grant, 'x');
    const { headers } = await gateway.fetch(`/${key}`);
    await gateway.fetch(gateway.downloadUrl(key), { method: 'PUT' });
    expect(gateway.refusals()).toEqual([
      {
        dialect: 'iot',
        operation: 'QueryOTAFirmware',
        code: 'iot.firmware.FirmwareNotFound',
        message: 'The firmware package nothing does not exist.',
        status: 200,
        account: expect.any(String),
        requestId: expect.stringMatching(/^[-0-9A-F]{36}$/),
        at: Date.UTC(2024, 0, 1),
      },
      expect.objectContaining({
        dialect: 'oss',
        operation: 'PostObject',
        code: 'SignatureDoesNotMatch',
        key: grant.key,
        status: 403,
      }),
      expect.objectContaining({
        operation: 'PostObject',
        code: 'AccessDenied',
        message: 'Invalid according to Policy: Policy expired.',
        key: grant.key,
        at: Date.UTC(2024, 0, 1, 0, 1, 1),
      }),
      {
        dialect: 'oss',
        operation: 'GetObject',
        code: 'AccessDenied',
        message: 'You have no right to access this object because of bucket acl.',
        key,
        status: 403,
        requestId: headers.get('x-oss-request-id'),
        at: Date.UTC(2024, 0, 1, 0, 1, 1),
      },
      expect.objectContaining({ operation: 'PutObject', key }),
    ]);
  });

  it('has refusals while a file is received, injected ones, and internal errors', async () => {
    await using small = await startTestGateway({ maxUpload: 3 });
    const { grant } = await small.seed({ state: 'issued' });
    await small.postObject(grant, 'larger');
    small.faults.next('GenerateOTAUploadURL', { code: 'Throttling.User' });
    await fails(small.api.generateOTAUploadURL());
    expect(small.refusals()).toMatchObject([
      { operation: 'PostObject', code: 'EntityTooLarge', key: grant.key },
      { operation: 'GenerateOTAUploadURL', code: 'Throttling.User', status: 400 },
    ]);
  });

  it('never holds a secret, a signature, a policy or a token', async () => {
    const { grant, firmwareUrl, downloadUrl } = await gateway.seed({ state: 'stored' });
    const secret = 'tOpSeCrEt';
    const wrongKey = { id: gateway.accessKey.id, secret };
    await fails(gateway.apiAs(wrongKey).call('GenerateOTAUploadURL', { FileSuffix: secret }));
    const name = { firmwareName: 'a', destVersion: '1' };
    await fails(
      gateway.api.createOTAFirmware({ ...name, firmwareUrl: `ftp://u:${secret}@h/a?${secret}` }),
    );
    await fails(
      gateway.api.createOTAFirmware({
        ...name,
        firmwareUrl: `${firmwareUrl}%?Signature=${secret}`,
      }),
    );
    await gateway.fetch(`${downloadUrl}${secret}`);
    await gateway.fetch('/a', { headers: { Authorization: `OSS bucketid:${secret}` } });
    await gateway.fetch('/a', { headers: { Authorization: `Bearer ${secret}` } });
    const fields: readonly Record<string, string>[] = [
      { signature: secret },
      { key: `other/${grant.key}` },
      { policy: Buffer.from(`{"${secret}":1,"${secret}":2}`).toString('base64') },
      { 'x-oss-object-acl': secret },
    ];
    for (const each of fields) await gateway.postObject(grant, 'x', { fields: each });
    const listed = gateway.refusals();
    expect(listed).toHaveLength(6 + fields.length);
    const text = JSON.stringify(listed);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(grant.signature);
    expect(text).not.toContain('starts-with');
    expect(text).not.toContain('["eq"');
  });

  it('cuts each text', async () => {
    const key = 'k'.repeat(3000);
    for (let turn = 0; turn < 3; turn += 1) await gateway.fetch(`/${key}`);
    await fails(gateway.api.call('A'.repeat(3000)));
    expect(gateway.refusals()).toHaveLength(4);
    expect(JSON.stringify(gateway.refusals()).length).toBeLessThan(4 * 2048);
  });

  it('is empty after a reset', async () => {
    await gateway.fetch('/b');
    expect(gateway.refusals()).toHaveLength(1);
    await gateway.reset();
    expect(gateway.refusals()).toEqual([]);
  });
});
