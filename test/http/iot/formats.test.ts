import request from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';
import { getV1, postV3 } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const JSON_TYPE = 'application/json; charset=UTF-8';
const XML_TYPE = 'text/xml;charset=utf-8';
const ACTION = 'GenerateOTAUploadURL';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

const options = () => ({ key: gateway.accessKey, time: gateway.clock.now() });

describe('V1', () => {
  it.each<[string | undefined, string]>([
    ['JSON', JSON_TYPE],
    ['json', JSON_TYPE],
    ['XML', XML_TYPE],
    ['xml', XML_TYPE],
    ['', XML_TYPE],
    [undefined, XML_TYPE],
  ])('responds in the right type to Format %p', async (Format, type) => {
    const good = await getV1(gateway.app, ACTION, {}, { ...options(), common: { Format } });
    const refused = await getV1(
      gateway.app,
      ACTION,
      {},
      { ...options(), common: { Format, Version: '1' } },
    );
    expect([good.status, good.headers['content-type']]).toEqual([200, type]);
    expect([refused.status, refused.headers['content-type']]).toEqual([400, type]);
  });

  it('ignores the accept header', async () => {
    const { headers } = await request(gateway.app)
      .get('/?Action=X')
      .set('accept', 'application/json');
    expect(headers['content-type']).toBe(XML_TYPE);
  });
});

describe('V3', () => {
  it.each<[string | undefined, string]>([
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['application/xml', XML_TYPE],
    ['text/xml; q=0.9', XML_TYPE],
    ['application/xml, application/json', JSON_TYPE],
  ])('responds in the right type to accept: %p', async (accept, type) => {
    const headers = { accept };
    const good = await postV3(gateway.app, ACTION, {}, { ...options(), headers });
    const refused = await postV3(
      gateway.app,
      ACTION,
      {},
      { ...options(), headers: { ...headers, 'x-acs-version': '1' } },
    );
    expect([good.status, good.headers['content-type']]).toEqual([200, type]);
    expect([refused.status, refused.headers['content-type']]).toEqual([400, type]);
  });
});

const PROLOG = "<?xml version='1.0' encoding='UTF-8'?>";

it('renders a result in XML with the root and the order of the page', async () => {
  const common = { Format: 'XML' };
  const { text } = await getV1(gateway.app, ACTION, {}, { ...options(), common });
  const shape = text.replace(/>[^<]+</g, '>.<');
  expect(shape).toBe(
    `${PROLOG}<GenerateOTAUploadURLResponse><Data><Key>.</Key><Host>.</Host><Policy>.</Policy>` +
      '<OSSAccessKeyId>.</OSSAccessKeyId><ObjectStorage>.</ObjectStorage>' +
      '<UtcCreate>.</UtcCreate><Signature>.</Signature><FirmwareUrl>.</FirmwareUrl></Data>' +
      '<RequestId>.</RequestId><Success>.</Success></GenerateOTAUploadURLResponse>',
  );
  expect(text).toContain('<ObjectStorage>OSS</ObjectStorage>');
  expect(text).toContain('<Success>true</Success>');
});

it('renders a refusal of an operation in XML with the root of the operation', async () => {
  const common = { Format: 'XML' };
  const parameters = { FileSuffix: 'exe' };
  const response = await getV1(gateway.app, ACTION, parameters, { ...options(), common });
  expect(response.status).toBe(200);
  expect(response.text).toMatch(
    /^<\?xml .*\?><GenerateOTAUploadURLResponse><RequestId>[-0-9A-F]{36}<\/RequestId><Success>false<\/Success><Code>iot\.firmware\.InvalidGenerateOTAUploadURLParam<\/Code><ErrorMessage>[^<]*FileSuffix[^<]*<\/ErrorMessage><\/GenerateOTAUploadURLResponse>$/,
  );
});

it('renders a refusal of the gateway in XML with the root Error', async () => {
  const { text } = await request(gateway.app).get('/?Version=1');
  expect(text).toMatch(
    /^<\?xml .*\?><Error><RequestId>[-0-9A-F]{36}<\/RequestId><HostId>127\.0\.0\.1:\d+<\/HostId><Code>InvalidVersion<\/Code><Message>Specified parameter Version is not valid\.[^<]*<\/Message><Recommend><!\[CDATA\[https:\/\/[^\]]+\]\]><\/Recommend><\/Error>$/,
  );
});

it('renders a result in JSON in the order of the page', async () => {
  const { text } = await getV1(gateway.app, ACTION, {}, options());
  const names = Array.from(text.matchAll(/"(\w+)":/g), ([, name]) => name);
  expect(names).toEqual([
    'Data',
    'Key',
    'Host',
    'Policy',
    'OSSAccessKeyId',
    'ObjectStorage',
    'UtcCreate',
    'Signature',
    'FirmwareUrl',
    'RequestId',
    'Success',
  ]);
});
