import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import request from 'supertest';
import type { Response } from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';

/*
 * Signs calls as documented and without the code of the product, so that both sides cannot share a mistake.
 */

export interface Key {
  readonly id: string;
  readonly secret: string;
}

export type Parameters = Readonly<Record<string, string | number | boolean>>;

/** Parameters or headers that replace those of a correct call; undefined removes one. */
export type Overrides = Readonly<Record<string, string | undefined>>;

export const HOST = 'gateway.test:9070';

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encodePairs(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

function defined(pairs: Overrides): Record<string, string> {
  return Object.fromEntries(
    Object.entries(pairs).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function texts(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, String(value)]),
  );
}

/** Unix milliseconds as the API writes the date of a call. */
export function callDate(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

export function stringToSignV1(method: string, pairs: Readonly<Record<string, string>>): string {
  const sorted = Object.keys(pairs)
    .filter((name) => name !== 'Signature')
    .sort()
    .map((name) => `${encode(name)}=${encode(pairs[name] ?? '')}`)
    .join('&');
  return `${method}&%2F&${encode(sorted)}`;
}

export interface V1Options {
  readonly key: Key;
  readonly time: number;
  readonly method?: string;
  /** Put in before the call is signed. */
  readonly common?: Overrides;
}

/** @returns every parameter of a signed call */
export function signV1(
  action: string,
  parameters: Parameters,
  { common = {}, key, method = 'GET', time }: V1Options,
): Record<string, string> {
  const pairs = defined({
    Action: action,
    Version: '2018-01-20',
    Format: 'JSON',
    AccessKeyId: key.id,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: randomUUID(),
    Timestamp: callDate(time),
    ...texts(parameters),
    ...common,
  });
  const signature = createHmac('sha1', `${key.secret}&`)
    .update(stringToSignV1(method, pairs))
    .digest('base64');
  return { Signature: signature, ...pairs };
}

export interface V3Options {
  readonly key: Key;
  readonly time: number;
  readonly method?: string;
  /** An urlencoded body instead of parameters in the query. */
  readonly body?: string;
  /** Headers put in before the call is signed. */
  readonly headers?: Overrides;
  /** Headers left out of SignedHeaders. */
  readonly unsigned?: readonly string[];
}

/** @returns the query and the headers of a signed call */
export function signV3(
  action: string,
  parameters: Parameters,
  { body = '', headers = {}, key, method = 'POST', time, unsigned = [] }: V3Options,
): { query: string; headers: Record<string, string> } {
  const hash = createHash('sha256').update(body).digest('hex');
  const all = defined({
    host: HOST,
    'x-acs-action': action,
    'x-acs-version': '2018-01-20',
    'x-acs-date': callDate(time),
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-content-sha256': hash,
    ...(body !== '' && { 'content-type': 'application/x-www-form-urlencoded' }),
    ...headers,
  });
  const names = Object.keys(all)
    .filter((name) => name !== 'accept' && !unsigned.includes(name))
    .sort();
  const pairs = texts(parameters);
  const sorted = Object.fromEntries(Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1)));
  const canonical = [
    method,
    '/',
    encodePairs(sorted),
    ...names.map((name) => `${name}:${(all[name] ?? '').trim()}`),
    '',
    names.join(';'),
    hash,
  ].join('\n');
  const toSign = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
  const signature = createHmac('sha256', key.secret).update(toSign).digest('hex');
  const authorization = `ACS3-HMAC-SHA256 Credential=${key.id},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { query: encodePairs(pairs), headers: { ...all, authorization } };
}

/** Calls by V1 with everything in the query. */
export async function getV1(
  app: RequestListener,
  action: string,
  parameters: Parameters,
  options: V1Options,
): Promise<Response> {
  const { method = 'GET' } = options;
  const target = `/?${encodePairs(signV1(action, parameters, { ...options, method }))}`;
  const agent = request(app);
  return method === 'POST' ? agent.post(target) : agent.get(target).set('Host', HOST);
}

/** Calls by V3 with the parameters in the query. */
export async function postV3(
  app: RequestListener,
  action: string,
  parameters: Parameters,
  options: V3Options,
): Promise<Response> {
  const { headers, query } = signV3(action, parameters, options);
  const call = request(app)
    .post(query === '' ? '/' : `/?${query}`)
    .set(headers);
  return options.body === undefined ? call : call.send(options.body);
}

/** Calls as the gateway's own account, at the gateway's time. */
export async function call(
  gateway: TestGateway,
  action: string,
  parameters: Parameters = {},
  key: Key = gateway.accessKey,
): Promise<Response> {
  return getV1(gateway.app, action, parameters, { key, time: gateway.clock.now() });
}

/** A form that was signed for an upload. */
export interface SignedForm {
  readonly Key: string;
  readonly Policy: string;
  readonly OSSAccessKeyId: string;
  readonly Signature: string;
  readonly FirmwareUrl: string;
}

/** Gets a signed form, and posts a file with it. @returns the FirmwareUrl */
export async function upload(
  gateway: TestGateway,
  bytes: string | Buffer,
  parameters: Parameters = {},
  key: Key = gateway.accessKey,
): Promise<string> {
  const issued = await call(gateway, 'GenerateOTAUploadURL', parameters, key);
  const form: SignedForm = issued.body.Data;
  await request(gateway.app)
    .post('/')
    .field('key', form.Key)
    .field('policy', form.Policy)
    .field('OSSAccessKeyId', form.OSSAccessKeyId)
    .field('signature', form.Signature)
    .field('success_action_status', '200')
    .attach('file', Buffer.from(bytes), { filename: 'fw.bin' })
    .expect(200);
  return form.FirmwareUrl;
}

let packages = 0;

/** Makes a package of a new upload. @returns its FirmwareId */
export async function createPackage(
  gateway: TestGateway,
  parameters: Parameters = {},
  key: Key = gateway.accessKey,
): Promise<string> {
  packages += 1;
  const { IotInstanceId } = parameters;
  const scope = IotInstanceId === undefined ? {} : { IotInstanceId };
  const wanted = {
    FirmwareName: `package${packages}`,
    DestVersion: `1.0.${packages}`,
    FirmwareUrl: await upload(gateway, `bytes ${packages}`, scope, key),
    ...parameters,
  };
  const response = await call(gateway, 'CreateOTAFirmware', wanted, key);
  if (response.body.Success !== true) throw new Error(response.text);
  return response.body.Data.FirmwareId;
}
