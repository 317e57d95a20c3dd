import { Agent } from 'node:https';
import IotClient, {
  CreateOTAFirmwareRequest,
  CreateOTAFirmwareRequestMultiFiles,
  CreateOTAModuleRequest,
  DeleteOTAFirmwareRequest,
  GenerateOTAUploadURLRequest,
  ListOTAFirmwareRequest,
  QueryOTAFirmwareRequest,
} from '@alicloud/iot20180120';
import { Config } from '@alicloud/openapi-client';
import OpenApi, { $OpenApiUtil, OpenApiUtil } from '@alicloud/openapi-core';
import { RPCClient } from '@alicloud/pop-core';
import type { SdkFamily } from './sdk-families.ts';
import { GENERATED, OPENAPI_CORE, POP_CORE } from './sdk-families.ts';

/** The address and the key of a caller. */
export interface SdkCaller {
  readonly url: string;
  readonly key: {
    readonly id: string;
    readonly secret: string;
    readonly securityToken?: string | undefined;
  };
  /** The certificate of the authority that signed the gateway's certificate, as PEM. */
  readonly ca?: string;
}

type Files = readonly Readonly<Record<string, string | number>>[];

/** Parameters by their names in the API documentation; files are `MultiFiles`. */
export type SdkParameters = Readonly<Record<string, string | number | boolean | Files>>;

/** One way in which a real Alibaba Cloud client calls the API. */
export interface SdkClient {
  readonly name: string;
  /** How the client reports a response. */
  readonly family: SdkFamily;
  has(action: string): boolean;
  /** @returns the result of the client; for a generated client, with the names of the API documentation */
  call(caller: SdkCaller, action: string, parameters?: SdkParameters): Promise<unknown>;
}

const API_VERSION = '2018-01-20';

function popCore(method: 'GET' | 'POST'): SdkClient {
  return {
    name: `pop-core, ${method}`,
    family: POP_CORE,
    has: () => true,
    call: ({ ca, key, url }, action, parameters = {}) => {
      const client = new RPCClient({
        endpoint: url,
        apiVersion: API_VERSION,
        accessKeyId: key.id,
        accessKeySecret: key.secret,
        ...(key.securityToken !== undefined && { securityToken: key.securityToken }),
        ...(ca !== undefined && { opts: { agent: new Agent({ ca }) } }),
      });
      return client.request(action, parameters, { method });
    },
  };
}

/** Settings that all clients of the tea family share. */
function teaSettings({ ca, key, url }: SdkCaller): Record<string, string | undefined> {
  const { host, pathname, protocol } = new URL(url);
  return {
    endpoint: `${host}${pathname.replace(/\/$/, '')}`,
    protocol: protocol.replace(':', ''),
    regionId: 'cn-shanghai',
    accessKeyId: key.id,
    accessKeySecret: key.secret,
    securityToken: key.securityToken,
    ca,
  };
}

type Members = Record<string, unknown>;
type GeneratedCall = (
  client: IotClient,
  members: Members,
) => Promise<{ readonly body: { toMap(): Members } }>;

/** Every operation of ours that the SDK has, and one that the gateway does not have. */
const GENERATED_CALLS: Readonly<Record<string, GeneratedCall>> = {
  GenerateOTAUploadURL: (client, members) =>
    client.generateOTAUploadURL(new GenerateOTAUploadURLRequest(members)),
  CreateOTAFirmware: (client, members) =>
    client.createOTAFirmware(new CreateOTAFirmwareRequest(members)),
  QueryOTAFirmware: (client, members) =>
    client.queryOTAFirmware(new QueryOTAFirmwareRequest(members)),
  ListOTAFirmware: (client, members) => client.listOTAFirmware(new ListOTAFirmwareRequest(members)),
  DeleteOTAFirmware: (client, members) =>
    client.deleteOTAFirmware(new DeleteOTAFirmwareRequest(members)),
  CreateOTAModule: (client, members) => client.createOTAModule(new CreateOTAModuleRequest(members)),
};

/** The members have the names of the parameters, with a lower-case first letter. */
function membersOf(parameters: object): Members {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]: [string, unknown]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      Array.isArray(value)
        ? value.map((entry: object) => new CreateOTAFirmwareRequestMultiFiles(membersOf(entry)))
        : value,
    ]),
  );
}

/** The SDK of IoT Platform. @param signatureAlgorithm - `v2` is its name for signature V1 */
function generated(name: string, signatureAlgorithm?: 'v2'): SdkClient {
  return {
    name,
    family: GENERATED,
    has: (action) => Object.hasOwn(GENERATED_CALLS, action),
    call: async (caller, action, parameters = {}) => {
      const call = GENERATED_CALLS[action];
      if (call === undefined) throw new Error(`the SDK has no ${action}`);
      const config = new Config({ ...teaSettings(caller), signatureAlgorithm });
      const { body } = await call(new IotClient(config), membersOf(parameters));
      return body.toMap();
    },
  };
}

/** The type of `runtime` is `object`, because its class is in a package that is not needed otherwise. */
interface GenericClient {
  callApi(
    params: $OpenApiUtil.Params,
    request: $OpenApiUtil.OpenApiRequest,
    runtime: object,
  ): Promise<{ readonly body?: unknown }>;
}

/** The generic client, which sends a form body in chunks. */
function openApiCore(location: 'query' | 'body'): SdkClient {
  return {
    name: `openapi-core, parameters in the ${location}`,
    family: OPENAPI_CORE,
    has: () => true,
    call: async (caller, action, parameters = {}) => {
      const client: GenericClient = new OpenApi(new $OpenApiUtil.Config(teaSettings(caller)));
      const params = new $OpenApiUtil.Params({
        action,
        version: API_VERSION,
        protocol: 'HTTPS',
        pathname: '/',
        method: 'POST',
        authType: 'AK',
        style: 'RPC',
        reqBodyType: 'formData',
        bodyType: 'json',
      });
      const request = new $OpenApiUtil.OpenApiRequest({
        [location]: OpenApiUtil.query(parameters),
      });
      const { body } = await client.callApi(params, request, {});
      return body;
    },
  };
}

/** The clients that must work with the gateway without modification. */
export const SDK_CLIENTS: readonly SdkClient[] = [
  popCore('GET'),
  popCore('POST'),
  generated('iot20180120, signature V3'),
  generated("iot20180120, 'v2'", 'v2'),
  openApiCore('query'),
  openApiCore('body'),
];
