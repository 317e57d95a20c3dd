import { createHmac, randomUUID } from 'node:crypto';
import request from 'supertest';
import type { z } from 'zod';
import { explainedShape, pageOf, refusalShape } from '../../../../src/operator/shapes.ts';
import { ManualClock } from '../../../../src/lib/clock.ts';
import type { TestGatewayOptions } from '../../../../src/testing/index.ts';
import { getV1 } from '../../iot/api.ts';
import type { Key, Overrides, Parameters } from '../../iot/api.ts';
import { BUCKET, BUCKET_KEY, validForm, validFormV4 } from '../../oss/post/form.ts';
import type { Form } from '../../oss/post/form.ts';
import { startOss } from '../../oss/post/start.ts';
import type { Oss, SendOptions } from '../../oss/post/start.ts';

export const OPS = { id: 'LTAIops-key', secret: 'secret-of-the-operator' };
export const OFF = { id: 'LTAIoff-key', secret: 'secret-of-a-disabled-key' };
export const TEMPORARY = { id: 'STS.temporary', secret: 'secret-of-a-temporary-key' };
export const EXPIRED = { id: 'STS.expired', secret: 'secret-of-an-expired-key' };
export const SHOP = { id: 'LTAIshop-key', secret: 'secret-of-the-shop' };
export const SMALL = { id: 'LTAIsmall-key', secret: 'secret-of-a-small-account' };
export const TOKEN = 'token-of-a-temporary-key';

const ACCOUNTS = [
  {
    id: 'ops',
    operator: true,
    accessKeys: [
      OPS,
      { ...OFF, disabled: true },
      { ...TEMPORARY, securityToken: TOKEN },
      { ...EXPIRED, securityToken: TOKEN, expiresAt: 1 },
    ],
  },
  {
    id: 'shop',
    instances: ['iot-1'],
    products: [{ key: 'pk1', name: 'one' }],
    accessKeys: [SHOP],
  },
  { id: 'small', maxBytes: 4, maxUploads: 1, accessKeys: [SMALL] },
];

/** What must never be in a story, a record or a log line. */
export const SECRETS = [
  ...[OPS, OFF, TEMPORARY, EXPIRED, SHOP, SMALL, BUCKET_KEY].map(({ secret }) => secret),
  TOKEN,
];

interface CallOptions {
  readonly key?: Key;
  readonly common?: Overrides;
}

/** A gateway, and everything that a client can send to it. */
export interface Bench {
  readonly oss: Oss;
  /** The lines that it has logged. */
  readonly log: string[];
  form(change?: (form: Form) => unknown): Promise<unknown>;
  formV4(change?: (form: Form) => unknown): Promise<unknown>;
  send(options: SendOptions): Promise<unknown>;
  call(action: string, parameters?: Parameters, options?: CallOptions): Promise<unknown>;
  /** Uploads a file. @returns its URL */
  upload(bytes?: string, key?: Key): Promise<string>;
  /** Creates a package of a file. */
  claim(firmwareUrl: string, parameters?: Parameters, key?: Key): Promise<unknown>;
  /** @returns the story of the last refused request; undefined when it was refused before the last call */
  lastStory(): Promise<z.infer<typeof explainedShape> | undefined>;
}

/**
 * @param ossHeaders - the headers x-oss-..., each with its line break
 * @returns path and query of a URL that is signed correctly
 */
export function signedPath(
  method: string,
  key: string,
  expires: number,
  query: Readonly<Record<string, string>> = {},
  ossHeaders = '',
): string {
  const sorted = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  const resources = sorted.map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  const resource = `/${BUCKET}/${key}${resources.length > 0 ? `?${resources.join('&')}` : ''}`;
  const text = `${method}\n\n\n${String(expires)}\n${ossHeaders}${resource}`;
  const signature = createHmac('sha1', BUCKET_KEY.secret).update(text).digest('base64');
  return `/${key}?${new URLSearchParams({
    ...query,
    OSSAccessKeyId: BUCKET_KEY.id,
    Expires: String(expires),
    Signature: signature,
  }).toString()}`;
}

let packages = 0;

export async function startBench(options: TestGatewayOptions = {}): Promise<Bench> {
  const log: string[] = [];
  const note = (details: object, text: string): void => {
    log.push(JSON.stringify({ ...details, text }));
  };
  const logger = { debug: note, info: note, warn: note, error: () => undefined };
  const monotonic = new ManualClock();
  const oss = await startOss({
    unsignedCallbacks: false,
    maxUpload: 100_000,
    ...options,
    parts: { accounts: ACCOUNTS, monotonicClock: monotonic, logger, ...options.parts },
  });
  const { gateway } = oss;
  const seen = new Set<string>();
  const ask = (path: string): request.Test =>
    request(gateway.app).get(`/_gateway/api/refusals${path}`).auth(OPS.id, OPS.secret);
  const call: Bench['call'] = (action, parameters = {}, { common = {}, key = OPS } = {}) =>
    getV1(gateway.app, action, parameters, { key, common, time: gateway.clock.now() });
  const post =
    (make: () => Form): Bench['form'] =>
    (change) => {
      const form = make();
      change?.(form);
      return oss.post(form);
    };
  return {
    ...{ oss, log, call },
    form: post(validForm),
    formV4: post(validFormV4),
    send: (what) => oss.send(what),
    upload: async (bytes = randomUUID(), key = OPS) => {
      const grant = await gateway.apiAs(key).generateOTAUploadURL();
      await gateway.postObject(grant, bytes);
      return grant.firmwareUrl;
    },
    claim: (FirmwareUrl, parameters = {}, key = OPS) => {
      packages += 1;
      const name = { FirmwareName: `p${String(packages)}`, DestVersion: `1.${String(packages)}` };
      return call('CreateOTAFirmware', { ...name, FirmwareUrl, ...parameters }, { key });
    },
    lastStory: async () => {
      const list = pageOf(refusalShape).parse((await ask('?limit=1')).body);
      const [last] = list.items;
      // The next refusal is neither like an earlier one, nor one of too many in a second.
      monotonic.advance({ seconds: 61 });
      if (last === undefined || seen.has(last.requestId)) return undefined;
      seen.add(last.requestId);
      return explainedShape.parse((await ask(`/${last.requestId}`)).body);
    },
  };
}
