import { createHash, createHmac, randomUUID } from 'node:crypto';
import request from 'supertest';
import type { Test } from 'supertest';
import type { TestGateway, TestGatewayOptions } from '../../../src/testing/index.ts';
import { callDate } from '../iot/api.ts';
import { startTestGateway } from '../../support/gateways.ts';
import type { EngineGateway } from '../../support/gateways.ts';

/** Where the operator API is. */
export const BASE = '/_gateway/api';

export interface Key {
  readonly id: string;
  readonly secret: string;
}

/** Two accounts, and a third one that is operator. */
export const ANN = { id: 'ann-key', secret: 'ann-secret' };
export const BOB = { id: 'bob-key', secret: 'bob-secret' };
export const OPS = { id: 'ops-key', secret: 'ops-secret' };

const ACCOUNTS = [
  { id: 'ann', accessKeys: [ANN] },
  { id: 'bob', accessKeys: [BOB, { id: 'off-key', secret: 'off-secret', disabled: true }] },
  { id: 'ops', operator: true, accessKeys: [OPS] },
];

/** Starts a gateway with these accounts. */
export function startWithOperator(options: TestGatewayOptions = {}): Promise<EngineGateway> {
  return startTestGateway({ ...options, parts: { accounts: ACCOUNTS, ...options.parts } });
}

type Method = 'get' | 'post' | 'delete';

/** Sends a request to the operator API with Basic. The path is below {@link BASE}. */
export function call(gateway: TestGateway, key: Key, method: Method, path: string): Test {
  const agent = request(gateway.app);
  return agent[method](BASE + path).auth(key.id, key.secret);
}

/** The path of an upload. */
export function uploadPath(key: string): string {
  return `/uploads/${encodeURIComponent(key)}`;
}

const NAMES = ['host', 'action', 'content-sha256', 'date', 'signature-nonce', 'version'].map(
  (name) => (name === 'host' ? name : `x-acs-${name}`),
);

/**
 * Signs a request as documented, without the code of the product, so that both sides cannot share a mistake.
 * @param target - path and query
 * @param change - headers that replace those of a correct request before it is signed
 */
export function signedHeaders(
  { id, secret }: Key,
  method: string,
  target: string,
  { body = '', change = {}, now = Date.now() }: SignedParts = {},
): Record<string, string> {
  const [path = '', query = ''] = target.split('?');
  const headers: Record<string, string> = {
    host: 'gateway.test:9070',
    'x-acs-action': `${method} ${path}`,
    'x-acs-content-sha256': createHash('sha256').update(body).digest('hex'),
    'x-acs-date': callDate(now),
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-version': '2018-01-20',
    ...change,
  };
  const canonical = [
    ...[method, path, query],
    ...[...NAMES.map((name) => `${name}:${headers[name] ?? ''}`), ''],
    ...[NAMES.join(';'), headers['x-acs-content-sha256'] ?? ''],
  ].join('\n');
  const text = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
  const signature = createHmac('sha256', secret).update(text).digest('hex');
  const authorization = `ACS3-HMAC-SHA256 Credential=${id},SignedHeaders=${NAMES.join(';')},Signature=${signature}`;
  return { ...headers, authorization };
}

export interface SignedParts {
  readonly body?: string | Buffer;
  readonly change?: Readonly<Record<string, string>>;
  /** The date of the request, in Unix milliseconds. */
  readonly now?: number;
}
