import request from 'supertest';
import { ManualClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { formatDateV4 } from '../../src/signatures/credential-v4.ts';
import { ossV1StringToSign, signOssV1 } from '../../src/signatures/oss-v1.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { foundSecrets, showErrors } from '../support/found-secrets.ts';
import { signUrlV1, signUrlV4 } from '../support/signed-url.ts';
import { signV1, signV3 } from './iot/api.ts';
import { FROM_PAGE, cookieOf, proofOf } from './console/console-api.ts';
import { signedHeaders } from './operator/operator-api.ts';
import { startTestGateway } from '../support/gateways.ts';

const SECRETS = {
  account: 'account-5ecret',
  temporary: 'temporary-5ecret',
  token: 'token-5ecret',
  bucket: 'bucket-5ecret',
  previous: 'previous-5ecret',
  metrics: 'metrics-5ecret',
  callback: 'callback-5ecret',
};
const KEY = { id: 'permanent', secret: SECRETS.account };
const TEMPORARY = { id: 'temporary', secret: SECRETS.temporary };
const BUCKET_KEY = { accessKeyId: 'bucket-id', secret: SECRETS.bucket };

const logged: string[] = [];
const add = (details: object, text: string): void => {
  logged.push(text, JSON.stringify(details, showErrors));
};
const logger = { ...silentLogger, debug: add, info: add, warn: add, error: add };

const monotonicClock = new ManualClock();
let gateway: TestGateway;
/** A key of an object that exists. */
let stored: string;

beforeAll(async () => {
  const accessKeys = [KEY, { ...TEMPORARY, securityToken: SECRETS.token }];
  gateway = await startTestGateway({
    ...{ metricsToken: SECRETS.metrics, ossAccessKeyId: BUCKET_KEY.accessKeyId },
    ...{ ossAccessKeySecret: BUCKET_KEY.secret },
    ...{ ossPreviousAccessKeyId: 'old-id', ossPreviousAccessKeySecret: SECRETS.previous },
    parts: { logger, monotonicClock, accounts: [{ id: 'one', operator: true, accessKeys }] },
  });
  stored = (await gateway.seed({ state: 'stored' })).key;
});
afterAll(() => gateway.close());

const now = (): number => gateway.clock.now();
const seconds = (): number => Math.floor(now() / 1000) + 600;

type Pairs = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

function encode(pairs: Pairs): string {
  const list = 'length' in pairs && Array.isArray(pairs) ? [...pairs] : Object.entries(pairs);
  return new URLSearchParams(list).toString();
}

/** Sends a request. @returns the text of the response */
async function send(
  method: 'get' | 'post' | 'put' | 'delete',
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const agent = request(gateway.app);
  const { text } = await agent[method](target).set({ host: 'gateway.test:9070', ...headers });
  return text;
}

const METHODS = { GET: 'get', PUT: 'put', DELETE: 'delete' } as const;

const urlV1 = (key: string, method: string, bucketKey = BUCKET_KEY): [string, string][] =>
  signUrlV1({ ...bucketKey, bucket: 'iotx-ota', key, method, expires: seconds() });
const last = (pairs: readonly (readonly [string, string])[]): string => pairs.at(-1)?.[1] ?? '';
const basic = (id: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/**
 * What a client does. It returns the responses, the signature that was right, and what no place may keep although a response
 * has it.
 */
type Act = () => Promise<{
  readonly answers: readonly string[];
  readonly signature?: string;
  readonly hidden?: readonly string[];
}>;

/** Signs in to the console, and uses its cookie. */
async function signIn(secret: string) {
  const { challenge } = JSON.parse(await send('get', '/_gateway/console/challenge'));
  const proof = proofOf({ id: KEY.id, secret }, challenge);
  const post = (body: string | object) =>
    request(gateway.app)
      .post('/_gateway/console/session')
      .set({ ...FROM_PAGE, 'content-type': 'application/json' })
      .send(body);
  const signedIn = await post({ id: KEY.id, challenge, proof });
  const cookie = cookieOf(signedIn);
  const tampered = { cookie: `${cookie.slice(0, -1)}x` };
  const refused = [
    await post({ id: KEY.id, challenge, proof }),
    await post({ id: KEY.id, challenge, proof: `${proof}x` }),
    await post(`{"proof":${proof}`),
    await request(gateway.app).post('/_gateway/console/session').send({ proof, challenge }),
  ];
  const answers = [
    ...[signedIn, ...refused].map(({ text }) => text),
    await send('get', '/_gateway/api/uploads/missing', { cookie }),
    await send('get', '/_gateway/api/about', tampered),
    await send('delete', '/_gateway/console/session', { cookie }),
    await send('get', '/missing', { cookie }),
    await send('get', '/?Action=QueryOTAFirmware', { cookie }),
  ];
  const hidden = [proof, challenge, ...cookie.split(/[=.]/).slice(-2)];
  return { answers, hidden };
}

async function postForm(fields: Readonly<Record<string, string>>): Promise<string> {
  const grant = await gateway.api.generateOTAUploadURL();
  signatures.push(grant.signature);
  return (await gateway.postObject(grant, 'x', { fields })).body;
}
const signatures: string[] = [];

const callback = (url: string): string =>
  Buffer.from(
    JSON.stringify({ callbackUrl: url, callbackBody: `secret=${SECRETS.callback}` }),
  ).toString('base64');

async function download(key: string, method: 'GET' | 'PUT' | 'DELETE', bucketKey = BUCKET_KEY) {
  const pairs = urlV1(key, method, bucketKey);
  return {
    answers: [await send(METHODS[method], `/${key}?${encode(pairs)}`)],
    signature: last(pairs),
  };
}

async function presignedV4(query: readonly (readonly [string, string])[] = []) {
  const date = formatDateV4(now());
  const scope = { region: 'cn-shanghai', bucket: 'iotx-ota', key: 'missing' };
  const pairs = signUrlV4({ ...BUCKET_KEY, ...scope, method: 'GET', date, expires: 600, query });
  return { answers: [await send('get', `/missing?${encode(pairs)}`)], signature: last(pairs) };
}

async function callV1(parameters: Readonly<Record<string, string>>, key = KEY, common = {}) {
  const pairs = signV1('QueryOTAFirmware', parameters, { key, time: now(), common });
  const target = `/?${encode(pairs)}`;
  // The second one repeats the nonce.
  const answers = [await send('get', target), await send('get', target)];
  return { answers, ...(key.secret !== 'x' && { signature: pairs['Signature'] ?? '' }) };
}

async function callV3(parameters: Readonly<Record<string, string>>, key = KEY, headers = {}) {
  const call = signV3('QueryOTAFirmware', parameters, { key, time: now(), headers });
  const target = `/?${call.query}`;
  const answers = [
    await send('post', target, call.headers),
    await send('post', target, call.headers),
  ];
  const signature = call.headers['authorization']?.split('Signature=')[1] ?? '';
  return { answers, ...(key.secret !== 'x' && { signature }) };
}

const TOKEN_V3 = { 'x-acs-security-token': SECRETS.token };
const MISSING = { FirmwareId: 'missing' };

/** @returns a signed URL, and its signature */
const urlOf = (pairs: [string, string][]) => ({
  url: `http://gateway.test/missing?${encode(pairs)}`,
  signature: last(pairs),
});

function urlV4(key: string, method: string): [string, string][] {
  const scope = { region: 'cn-shanghai', bucket: 'iotx-ota', key, method, expires: 600 };
  return signUrlV4({ ...BUCKET_KEY, ...scope, date: formatDateV4(now()) });
}

/** Claims a file by a signed URL. The response may repeat what was signed. */
async function claim(change: (url: string) => string, secret = KEY.secret, sign = urlV1) {
  const { signature, url } = urlOf(sign('missing', 'GET'));
  const named = { FirmwareName: 'a', DestVersion: '1', FirmwareUrl: change(url) };
  const pairs = signV1('CreateOTAFirmware', named, { key: { ...KEY, secret }, time: now() });
  await send('get', `/?${encode(pairs)}`);
  return { answers: [], signature };
}

async function formWith(field: string, change: (url: string) => string) {
  const { signature, url } = urlOf(urlV1('missing', 'GET'));
  await postForm({ key: 'b', [field]: change(url) });
  return { answers: [], signature };
}

const ACTS: Readonly<Record<string, Act>> = {
  'a form whose key another policy has': async () => ({ answers: [await postForm({ key: 'b' })] }),
  'a form with a security token': async () => ({
    answers: [await postForm({ 'x-oss-security-token': SECRETS.token })],
  }),
  'a form with a callback that is not allowed': async () => ({
    answers: [await postForm({ callback: callback(`http://u:${SECRETS.callback}@10.0.0.1/`) })],
  }),
  'a form with a callback that fails': async () => ({
    answers: [await postForm({ callback: callback('http://127.0.0.1:9/') })],
  }),
  'a form with a callback that is no JSON': async () => ({
    answers: [await postForm({ callback: Buffer.from(SECRETS.callback).toString('base64') })],
  }),
  'a form with a redirect that is no URL': async () => ({
    answers: [await postForm({ success_action_redirect: `x://u:${SECRETS.callback}@h` })],
  }),
  'a download': () => download(stored, 'GET'),
  'a download by the previous key': () =>
    download(stored, 'GET', { accessKeyId: 'old-id', secret: SECRETS.previous }),
  'a signed URL of a missing object': () => download('missing', 'GET'),
  'a signed URL for PUT without a body': () => download('a', 'PUT'),
  'a signed URL for DELETE': () => download('missing', 'DELETE'),
  'a signed URL that has expired': async () => {
    const expires = seconds() - 1200;
    const named = { bucket: 'iotx-ota', key: 'a', method: 'GET', expires };
    const pairs = signUrlV1({ ...BUCKET_KEY, ...named });
    return { answers: [await send('get', `/a?${encode(pairs)}`)], signature: last(pairs) };
  },
  'a signed URL V4': () => presignedV4(),
  'a signed URL V4 with a token': () => presignedV4([['x-oss-security-token', SECRETS.token]]),
  'a call V1': () => callV1(MISSING),
  'a call V1 with a token': () => callV1(MISSING, TEMPORARY, { SecurityToken: SECRETS.token }),
  'a call V1 with a wrong signature and a token': () =>
    callV1(MISSING, { ...TEMPORARY, secret: 'x' }, { SecurityToken: SECRETS.token }),
  'a call V1 whose query is encoded twice behind its action': async () => {
    const common = { SecurityToken: SECRETS.token };
    const pairs = signV1('QueryOTAFirmware', MISSING, { key: TEMPORARY, time: now(), common });
    const { Signature: signature = '', SecurityToken: token = '' } = pairs;
    const action = `QueryOTAFirmware&${encode({ Signature: signature, SecurityToken: token })}`;
    return { answers: [await send('get', `/?${encode({ Action: action })}`)], signature };
  },
  'a call V3': () => callV3(MISSING),
  'a call V3 with a token': () => callV3(MISSING, TEMPORARY, TOKEN_V3),
  'a call V3 with a wrong signature and a token': () =>
    callV3(MISSING, { ...TEMPORARY, secret: 'x' }, TOKEN_V3),
  'a claim that names a signed URL': async () => {
    const pairs = urlV1('missing', 'GET');
    const firmwareUrl = `http://gateway.test/missing?${encode(pairs)}`;
    const name = { firmwareName: 'a', destVersion: '1', firmwareUrl };
    const failed: unknown = await gateway.api
      .createOTAFirmware(name)
      .catch((error: unknown) => error);
    return { answers: [String(failed)], signature: last(pairs) };
  },
  'a claim whose URL has no scheme': () => claim((url) => url.slice('http://'.length)),
  'a claim whose URL is in quotes': () => claim((url) => ` "${url}"`),
  'a claim whose URL is encoded twice': () => claim(encodeURIComponent),
  'a claim with a wrong signature': () => claim((url) => url, 'wrong'),
  'a claim by a URL V4': () => claim((url) => url.slice('http:'.length), KEY.secret, urlV4),
  'a form with a redirect without a scheme': () =>
    formWith('success_action_redirect', (url) => url.slice('http:'.length)),
  'a form with a URL in a sentence': () => formWith('x-oss-meta-a', (url) => `see ${url}`),
  'a form with a query': () => formWith('x-oss-meta-a', (url) => url.split('?')[1] ?? ''),
  'a form whose key is a URL': () => formWith('key', (url) => url),
  'a header that has a URL, with a wrong signature': async () => {
    const { signature, url } = urlOf(urlV1('a', 'GET'));
    const authorization = `OSS ${BUCKET_KEY.accessKeyId}:wrong`;
    const date = new Date(now()).toUTCString();
    await send('put', '/a', { authorization, date, 'x-oss-meta-a': url, 'user-agent': url });
    return { answers: [], signature };
  },
  'a header V1 for a missing object': async () => {
    const date = new Date(now()).toUTCString();
    const asked = { method: 'GET', bucket: 'iotx-ota', key: 'a', query: [], headers: new Map() };
    const signature = signOssV1(BUCKET_KEY.secret, ossV1StringToSign(asked, date));
    const authorization = `OSS ${BUCKET_KEY.accessKeyId}:${signature}`;
    return { answers: [await send('get', '/a', { authorization, date })], signature };
  },
  'the operator API by Basic': async () => ({
    answers: [
      await send('get', '/_gateway/api/about', basic(KEY.id, KEY.secret)),
      await send('get', '/_gateway/api/uploads/missing', basic(KEY.id, KEY.secret)),
      await send('get', '/_gateway/api/about', basic(KEY.id, `${KEY.secret} `)),
      await send('get', '/_gateway/api/about', basic(TEMPORARY.id, TEMPORARY.secret)),
    ],
  }),
  'the operator API by a signature': async () => {
    const target = '/_gateway/api/uploads/missing';
    const headers = signedHeaders(KEY, 'GET', target, { now: now() });
    return {
      answers: [await send('get', target, headers), await send('get', target, headers)],
      signature: headers['authorization']?.split('Signature=')[1] ?? '',
    };
  },
  'a sign-in to the console': () => signIn(KEY.secret),
  'a sign-in to the console with a wrong secret': () => signIn('wrong'),
  'the metrics by their token': async () => ({
    answers: [
      await send('get', '/_gateway/metrics', { authorization: `Bearer ${SECRETS.metrics}` }),
      await send('get', '/_gateway/metrics', { authorization: `Basic ${SECRETS.metrics}` }),
      await send('get', `/_gateway/metrics?token=${SECRETS.metrics}`),
    ],
  }),
  'a path of the operator surface with a secret in its query': async () => ({
    answers: [await send('get', `/_gateway/nothing?secret=${SECRETS.account}`)],
  }),
  'a failure of the ledger': async () => {
    const find = jest.spyOn(gateway.records.ledger, 'findUpload');
    find.mockRejectedValueOnce(new Error('disk I/O error'));
    const { answers, signature } = await download(stored, 'GET');
    find.mockRejectedValueOnce(new Error('disk I/O error'));
    const path = '/_gateway/api/uploads/missing';
    return { answers: [...answers, await send('get', path, basic(KEY.id, KEY.secret))], signature };
  },
};

it.each(Object.entries(ACTS))('%s leaves no secret anywhere', async (_name, act) => {
  // Few refusals of one second are kept.
  monotonicClock.advance({ minutes: 2 });
  logged.length = 0;
  signatures.length = 0;
  const { answers, hidden = [], signature } = await act();
  const { refusals } = gateway.records;
  const kept = await refusals?.list({ limit: 100 });
  const apiHeaders = basic(KEY.id, KEY.secret);
  const metrics = { authorization: `Bearer ${SECRETS.metrics}` };
  const stories = (kept ?? []).map(({ refusal: { requestId } }) =>
    send('get', `/_gateway/api/refusals/${requestId}`, apiHeaders),
  );
  const places = [
    ...logged,
    ...(await Promise.all(stories)),
    JSON.stringify([kept, gateway.refusals(), gateway.notices()]),
    await send('get', '/_gateway/api/refusals', apiHeaders),
    await send('post', '/_gateway/api/explain', apiHeaders),
    await send('get', '/_gateway/metrics', metrics),
  ].join('\n');
  // As the platform does, a refusal repeats to its own client a callback, and the text to sign with its token.
  const { callback: sent, token, ...own } = SECRETS;
  // A long value is cut, so that its end may be gone.
  const right = (signature === undefined ? signatures : [signature]).map((text) =>
    text.slice(0, 20),
  );
  expect(foundSecrets(answers.join('\n'), [...Object.values(own), ...right])).toEqual([]);
  expect(
    foundSecrets(places, [...Object.values(own), ...right, ...signatures, ...hidden, sent, token]),
  ).toEqual([]);
  // Nothing was refused, or logged, without this.
  expect(logged).not.toEqual([]);
});
