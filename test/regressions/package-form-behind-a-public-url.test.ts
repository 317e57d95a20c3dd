import type { TestGateway } from '../../src/testing/index.ts';
import { ANN, call, startWithOperator } from '../http/operator/operator-api.ts';

// With OTA_GATEWAY_PUBLIC_URL, each package of the operator API was refused: "its host is gateway".

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startWithOperator({ publicUrl: 'https://ota.example.com/oss' });
});

afterAll(() => gateway.close());

it('makes a package by a form for a gateway that has a public URL with a path', async () => {
  const { body } = await call(gateway, ANN, 'post', '/packages')
    .field({ name: 'form', version: '1' })
    .attach('file', Buffer.from('a'), 'a.bin')
    .expect(201);
  expect(body).toMatchObject({ name: 'form', files: [{ size: 1 }] });
});

it('makes a package of a stored upload for a gateway that has a public URL with a path', async () => {
  const { key } = await gateway.seed({ state: 'stored', accessKey: ANN });
  const { body } = await call(gateway, ANN, 'post', '/packages')
    .send({ name: 'json', version: '1', keys: [key] })
    .expect(201);
  expect(body).toMatchObject({ name: 'json', files: [{ key }] });
});
