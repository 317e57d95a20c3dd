import request from 'supertest';
import { createMemoryRecords } from '../../../src/gateway.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { call } from './api.ts';
import type { Key, Parameters, SignedForm } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const ACME = { id: 'acme-key', secret: 'acmesecret' };
const GLOBEX = { id: 'globex-key', secret: 'globexsecret' };
const OPS = { id: 'ops-key', secret: 'opssecret' };
const ACCOUNTS = [
  { id: 'acme', accessKeys: [ACME], maxUploads: 1 },
  { id: 'globex', accessKeys: [GLOBEX], instances: ['iot-1', 'iot-2'], maxUploads: 1 },
  { id: 'ops', accessKeys: [OPS], operator: true },
];
const OWNERS: readonly (readonly [string, Key, Parameters])[] = [
  ['acme', ACME, {}],
  ['globex', GLOBEX, { IotInstanceId: 'iot-2' }],
];

let gateway: TestGateway;

afterEach(() => gateway.close());

/** Stores a file by a grant that the ledger forgets, as after a failover. */
async function storeForgotten(key: Key, parameters: Parameters): Promise<SignedForm> {
  const { ledger, nonces } = createMemoryRecords();
  gateway = await startTestGateway({
    parts: { accounts: ACCOUNTS, records: { ledger, nonces } },
  });
  const form: SignedForm = (await call(gateway, 'GenerateOTAUploadURL', parameters, key)).body.Data;
  expect(await ledger.pruneIssued(Infinity, 10)).toBe(1);
  const { status } = await request(gateway.app)
    .post('/')
    .field('key', form.Key)
    .field('policy', form.Policy)
    .field('OSSAccessKeyId', form.OSSAccessKeyId)
    .field('signature', form.Signature)
    .attach('file', Buffer.from('firmware'), { filename: 'fw.bin' });
  expect(status).toBe(204);
  return form;
}

it.each(OWNERS)(
  'counts an upload whose grant was forgotten for %s, which its key names',
  async (_, key, parameters) => {
    await storeForgotten(key, parameters);
    const { body } = await call(gateway, 'GenerateOTAUploadURL', parameters, key);
    expect(body.Code).toBe('Throttling.Limit');
  },
);

it.each(OWNERS)(
  'lists an upload whose grant was forgotten for %s, which its key names',
  async (accountId, key, parameters) => {
    const { Key: object } = await storeForgotten(key, parameters);
    const listed = async (asker: Key, query = ''): Promise<unknown> => {
      const path = `/_gateway/api/uploads${query}`;
      return (await request(gateway.app).get(path).auth(asker.id, asker.secret)).body.items;
    };
    const found = [{ key: object, accountId, state: 'stored' }];
    expect(await listed(key)).toMatchObject(found);
    expect(await listed(OPS, `?account=${accountId}`)).toMatchObject(found);
    expect(await listed(key === ACME ? GLOBEX : ACME)).toEqual([]);
  },
);
