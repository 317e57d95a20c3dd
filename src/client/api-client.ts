import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { once } from '../lib/once.ts';
import { apiV3StringToSign, sha256Hex, signApiV3 } from '../signatures/api-v3.ts';
import { percentEncode } from '../signatures/percent-encoding.ts';
import { ApiCallError } from './api-call-error.ts';

/** The members of a response that are read. */
type ApiResponse = Pick<Response, 'ok' | 'status' | 'text'>;

/** Sends a call; the global `fetch` can do it. */
export type ApiFetch = (
  url: URL,
  init: { readonly method: string; readonly headers: Record<string, string> },
) => Promise<ApiResponse>;

/** Address of the API, and the access key that signs the calls. */
export interface ApiClientOptions {
  /** Scheme, host and port; also a path, if a proxy or a host application serves the gateway below one. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly clock: Clock;
  /** @returns a text that no call has used before */
  readonly nonce: () => string;
  /** Sends the calls, instead of the global `fetch`. */
  readonly fetch?: ApiFetch;
}

/** Business parameters of a call; undefined ones are not sent. */
export type ApiParameters = Readonly<Record<string, string | number | boolean | undefined>>;

const API_VERSION = '2018-01-20';
const SIGNED_HEADERS = [
  'host',
  'x-acs-action',
  'x-acs-content-sha256',
  'x-acs-date',
  'x-acs-signature-nonce',
  'x-acs-version',
];

const envelope = once(() =>
  z.looseObject({
    RequestId: z.string().optional(),
    Success: z.boolean().optional(),
    Code: z.string().optional(),
    Message: z.string().optional(),
    ErrorMessage: z.string().optional(),
  }),
);

/**
 * Calls an operation of the IoT API, signed with ACS3-HMAC-SHA256 as the current Alibaba Cloud SDKs do.
 * @returns the JSON of the response
 * @throws ApiCallError when the response is not a success
 */
export async function callApi(
  options: ApiClientOptions,
  action: string,
  parameters: ApiParameters = {},
): Promise<unknown> {
  const { headers, url } = signCall(options, action, parameters);
  // Keeps the path of the endpoint, which is not signed.
  const target = new URL(options.endpoint.replace(/\/+$/, '') + url);
  return readResponse(await (options.fetch ?? fetch)(target, { method: 'POST', headers }));
}

/** A signed call that is not sent yet. */
export interface SignedCall {
  readonly method: 'POST';
  /** Path and query. */
  readonly url: string;
  /** Includes `host`, which is signed, too. */
  readonly headers: Record<string, string>;
}

/** Signs a call with ACS3-HMAC-SHA256 and does not send it. The signed call can be sent once. */
export function signCall(
  options: ApiClientOptions,
  action: string,
  parameters: ApiParameters = {},
): SignedCall {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
  const headers = signedHeaders(options, action, new URL(options.endpoint).host, query);
  const search = query.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`);
  return { method: 'POST', url: search.length > 0 ? `/?${search.join('&')}` : '/', headers };
}

function signedHeaders(
  { accessKeyId, accessKeySecret, clock, nonce }: ApiClientOptions,
  action: string,
  host: string,
  query: readonly (readonly [string, string])[],
): Record<string, string> {
  const payloadHash = sha256Hex('');
  const headers = new Map([
    ['host', host],
    ['x-acs-action', action],
    ['x-acs-content-sha256', payloadHash],
    ['x-acs-date', new Date(clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z')],
    ['x-acs-signature-nonce', nonce()],
    ['x-acs-version', API_VERSION],
  ]);
  const stringToSign = apiV3StringToSign({
    method: 'POST',
    path: '/',
    query,
    headers,
    signedHeaders: SIGNED_HEADERS,
    payloadHash,
  });
  const signature = signApiV3(accessKeySecret, stringToSign);
  const names = SIGNED_HEADERS.join(';');
  const authorization = `ACS3-HMAC-SHA256 Credential=${accessKeyId},SignedHeaders=${names},Signature=${signature}`;
  return { ...Object.fromEntries(headers), accept: 'application/json', authorization };
}

async function readResponse(response: ApiResponse): Promise<unknown> {
  const text = await response.text();
  const parsed = envelope().safeParse(parseJson(text));
  if (!parsed.success) {
    const { status } = response;
    const received = `status ${String(status)} and: ${text.slice(0, 200)}`;
    throw new ApiCallError({
      code: 'InvalidResponse',
      status,
      message: `expected a JSON response of the IoT API, got ${received}`,
    });
  }
  const { Code, ErrorMessage, Message, RequestId, Success } = parsed.data;
  if (response.ok && Success === true) return parsed.data;
  throw new ApiCallError({
    code: Code ?? 'UnknownError',
    status: response.status,
    message: ErrorMessage ?? Message ?? 'the API gave no reason',
    requestId: RequestId,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const grantResponse = once(() =>
  z.object({
    Data: z.object({
      Key: z.string(),
      Host: z.string(),
      Policy: z.string(),
      OSSAccessKeyId: z.string(),
      Signature: z.string(),
      FirmwareUrl: z.string(),
    }),
  }),
);

/** The response of GenerateOTAUploadURL: a signed form, and the URL that the file will have. */
export interface UploadGrant {
  readonly key: string;
  readonly host: string;
  readonly policy: string;
  readonly accessKeyId: string;
  readonly signature: string;
  readonly firmwareUrl: string;
}

/** Calls GenerateOTAUploadURL. */
export async function generateOTAUploadURL(
  options: ApiClientOptions,
  parameters: ApiParameters = {},
): Promise<UploadGrant> {
  const { Data } = grantResponse().parse(
    await callApi(options, 'GenerateOTAUploadURL', parameters),
  );
  return {
    key: Data.Key,
    host: Data.Host,
    policy: Data.Policy,
    accessKeyId: Data.OSSAccessKeyId,
    signature: Data.Signature,
    firmwareUrl: Data.FirmwareUrl,
  };
}

const packageResponse = once(() => z.object({ Data: z.object({ FirmwareId: z.string() }) }));

/** Calls CreateOTAFirmware. @returns the id of the firmware package */
export async function createOTAFirmware(
  options: ApiClientOptions,
  parameters: ApiParameters,
): Promise<string> {
  return packageResponse().parse(await callApi(options, 'CreateOTAFirmware', parameters)).Data
    .FirmwareId;
}

const queryResponse = once(() => z.object({ FirmwareInfo: z.object({ FirmwareUrl: z.string() }) }));

/** Calls QueryOTAFirmware for a package of one file. @returns the signed URL that downloads the file */
export async function queryDownloadUrl(
  options: ApiClientOptions,
  parameters: { readonly FirmwareId: string; readonly IotInstanceId?: string },
): Promise<string> {
  const response = await callApi(options, 'QueryOTAFirmware', parameters);
  return queryResponse().parse(response).FirmwareInfo.FirmwareUrl;
}
