import IotClient, {
  CreateOTAFirmwareRequest,
  GenerateOTAUploadURLRequest,
  QueryOTAFirmwareRequest,
} from '@alicloud/iot20180120';
import { Config } from '@alicloud/openapi-client';
import { RPCClient } from '@alicloud/pop-core';
import { z } from 'zod';
import { ACCOUNT_KEY } from './built-gateway.ts';

/** The form that a client was given. */
export interface SdkGrant {
  readonly key: string;
  readonly host: string;
  readonly policy: string;
  readonly accessKeyId: string;
  readonly signature: string;
  readonly firmwareUrl: string;
}

/** What a package is made of. */
export interface SdkPackage {
  readonly firmwareName: string;
  readonly destVersion: string;
  readonly firmwareUrl: string;
  readonly firmwareSize?: number;
  readonly firmwareSign?: string;
  readonly signMethod?: string;
}

/** One real Alibaba Cloud client, reduced to the loop. */
export interface SdkClient {
  readonly name: string;
  sign(url: string, suffix: string): Promise<SdkGrant>;
  create(url: string, wanted: SdkPackage): Promise<string>;
  downloadUrl(url: string, firmwareId: string): Promise<string>;
}

const API_VERSION = '2018-01-20';

const grantAnswer = z
  .object({
    Data: z.object({
      Key: z.string(),
      Host: z.string(),
      Policy: z.string(),
      OSSAccessKeyId: z.string(),
      ObjectStorage: z.literal('OSS'),
      UtcCreate: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      Signature: z.string(),
      FirmwareUrl: z.string(),
    }),
    RequestId: z.string().regex(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
    Success: z.literal(true),
  })
  .strict();
const packageAnswer = z.object({ Data: z.object({ FirmwareId: z.string() }) });
const queryAnswer = z.object({ FirmwareInfo: z.object({ FirmwareUrl: z.string() }) });

function popCore(method: 'GET' | 'POST'): SdkClient {
  const request = async (url: string, action: string, parameters: object): Promise<unknown> => {
    const client = new RPCClient({
      endpoint: url,
      apiVersion: API_VERSION,
      accessKeyId: ACCOUNT_KEY.id,
      accessKeySecret: ACCOUNT_KEY.secret,
    });
    return client.request(action, parameters, { method });
  };
  return {
    name: `pop-core ${method}`,
    sign: async (url, suffix) => {
      const { Data } = grantAnswer.parse(
        await request(url, 'GenerateOTAUploadURL', { FileSuffix: suffix }),
      );
      return {
        key: Data.Key,
        host: Data.Host,
        policy: Data.Policy,
        accessKeyId: Data.OSSAccessKeyId,
        signature: Data.Signature,
        firmwareUrl: Data.FirmwareUrl,
      };
    },
    create: async (url, wanted) =>
      packageAnswer.parse(await request(url, 'CreateOTAFirmware', wanted)).Data.FirmwareId,
    downloadUrl: async (url, firmwareId) => {
      const answer = await request(url, 'QueryOTAFirmware', { firmwareId });
      return queryAnswer.parse(answer).FirmwareInfo.FirmwareUrl;
    },
  };
}

function iotSdk(name: string, signatureAlgorithm?: string): SdkClient {
  const client = (url: string): IotClient =>
    new IotClient(
      new Config({
        endpoint: new URL(url).host,
        protocol: 'http',
        regionId: 'cn-shanghai',
        accessKeyId: ACCOUNT_KEY.id,
        accessKeySecret: ACCOUNT_KEY.secret,
        signatureAlgorithm,
      }),
    );
  const text = z.string();
  return {
    name,
    sign: async (url, suffix) => {
      const request = new GenerateOTAUploadURLRequest({ fileSuffix: suffix });
      const { body } = await client(url).generateOTAUploadURL(request);
      return {
        key: text.parse(body.data?.key),
        host: text.parse(body.data?.host),
        policy: text.parse(body.data?.policy),
        accessKeyId: text.parse(body.data?.OSSAccessKeyId),
        signature: text.parse(body.data?.signature),
        firmwareUrl: text.parse(body.data?.firmwareUrl),
      };
    },
    create: async (url, wanted) => {
      const { body } = await client(url).createOTAFirmware(new CreateOTAFirmwareRequest(wanted));
      return text.parse(body.data?.firmwareId, { error: () => JSON.stringify(body) });
    },
    downloadUrl: async (url, firmwareId) => {
      const request = new QueryOTAFirmwareRequest({ firmwareId });
      const { body } = await client(url).queryOTAFirmware(request);
      return text.parse(body.firmwareInfo?.firmwareUrl);
    },
  };
}

/** The clients that the loop must work with, unmodified. */
export const SDK_CLIENTS: readonly SdkClient[] = [
  popCore('GET'),
  popCore('POST'),
  iotSdk('iot20180120 (V3)'),
  iotSdk('iot20180120 (v2)', 'v2'),
];
