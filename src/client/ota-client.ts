import { z } from 'zod';
import { once } from '../lib/once.ts';
import type { ApiClientOptions, UploadGrant } from './api-client.ts';
import { callApi, generateOTAUploadURL, signCall } from './api-client.ts';
import type { SignedCall } from './api-client.ts';
import { camelize, wireParameters } from './camel-case.ts';
import type { SdkParameter } from './camel-case.ts';

/** Names an instance of the account. */
export interface InstanceParameter {
  readonly iotInstanceId?: string | undefined;
}

/** Parameters of GenerateOTAUploadURL. */
export interface GenerateParameters extends InstanceParameter {
  /** `bin` when absent; also `dav`, `apk`, `tar`, `gz`, `tar.gz`, `zip`, `gzip`. */
  readonly fileSuffix?: string | undefined;
}

/** One file of a firmware package that has several. */
export interface FirmwareFile {
  readonly name: string;
  /** The firmwareUrl of a grant. */
  readonly url: string;
  /** In bytes. */
  readonly size?: number;
  /** Digest by the signMethod of the package, hexadecimal. */
  readonly signValue?: string;
  /** Hexadecimal. */
  readonly fileMd5?: string;
}

/** Parameters of CreateOTAFirmware. */
export interface CreateParameters extends InstanceParameter {
  /** Unique in the account. */
  readonly firmwareName: string;
  readonly destVersion: string;
  /** The firmwareUrl of a grant; for a package of one file. */
  readonly firmwareUrl?: string | undefined;
  /** In bytes. */
  readonly firmwareSize?: number | undefined;
  /** Digest by signMethod, hexadecimal. */
  readonly firmwareSign?: string | undefined;
  /** `MD5` when absent. */
  readonly signMethod?: 'MD5' | 'SHA256' | undefined;
  /** 0 is a full package, 1 a differential one. */
  readonly type?: 0 | 1 | undefined;
  readonly srcVersion?: string | undefined;
  /** `default` when absent. */
  readonly moduleName?: string | undefined;
  readonly productKey?: string | undefined;
  readonly firmwareDesc?: string | undefined;
  readonly needToVerify?: boolean | undefined;
  readonly udi?: string | undefined;
  /** For a package of several files, instead of firmwareUrl. */
  readonly multiFiles?: readonly FirmwareFile[] | undefined;
}

/** Names a firmware package. */
export interface FirmwareParameters extends InstanceParameter {
  readonly firmwareId: string;
}

/** Parameters of ListOTAFirmware. */
export interface ListParameters extends InstanceParameter {
  /** 1 and more; 1 when absent. */
  readonly currentPage?: number | undefined;
  /** 1 to 100; 100 when absent. */
  readonly pageSize?: number | undefined;
  readonly productKey?: string | undefined;
  readonly destVersion?: string | undefined;
}

/** Parameters of ModifyOTAFirmware; absent ones change nothing. */
export interface ModifyParameters extends FirmwareParameters {
  readonly productKey: string;
  readonly firmwareName?: string | undefined;
  /** An empty text removes it. */
  readonly firmwareDesc?: string | undefined;
  /** An empty text removes it. */
  readonly firmwareUdi?: string | undefined;
}

/* Each shape is made for the first response that has it. */
const created = once(() =>
  z.object({ data: z.object({ firmwareId: z.string(), utcCreate: z.string() }) }),
);

const listed = once(() =>
  z.object({
    firmwareId: z.string(),
    firmwareName: z.string(),
    firmwareDesc: z.string(),
    firmwareSign: z.string().optional(),
    firmwareSize: z.number().optional(),
    destVersion: z.string(),
    srcVersion: z.string(),
    moduleName: z.string(),
    productKey: z.string(),
    productName: z.string(),
    signMethod: z.string(),
    status: z.number(),
    type: z.number(),
    utcCreate: z.string(),
    utcModified: z.string(),
  }),
);

const queried = once(() =>
  z.object({
    firmwareInfo: listed().extend({
      firmwareUrl: z.string().optional(),
      verifyProgress: z.number(),
      udi: z.string().optional(),
      multiFiles: z
        .array(
          z.object({
            name: z.string(),
            size: z.number(),
            url: z.string(),
            signValue: z.string(),
            fileMd5: z.string(),
          }),
        )
        .optional(),
    }),
  }),
);

const page = once(() =>
  z.object({
    total: z.number(),
    pageCount: z.number(),
    pageSize: z.number(),
    currentPage: z.number(),
    firmwareInfo: z.object({ simpleFirmwareInfo: z.array(listed()) }),
  }),
);

/**
 * The response of CreateOTAFirmware.
 * @interface
 */
export type CreatedFirmware = z.output<ReturnType<typeof created>>['data'];
/**
 * A firmware package as ListOTAFirmware returns it.
 * @interface
 */
export type FirmwareSummary = z.output<ReturnType<typeof listed>>;
/**
 * A firmware package as QueryOTAFirmware returns it.
 * @interface
 */
export type FirmwareInfo = z.output<ReturnType<typeof queried>>['firmwareInfo'];

/** One page of the response of ListOTAFirmware. */
export interface FirmwarePage {
  readonly total: number;
  readonly pageCount: number;
  readonly pageSize: number;
  readonly currentPage: number;
  readonly firmwareInfo: readonly FirmwareSummary[];
}

/**
 * Calls the IoT API. Signs each call as the current SDKs do; names are in the style of the SDKs.
 * Every method rejects with an ApiCallError when the API refuses the call; compare its `code`.
 */
export interface OtaClient {
  /** @returns a signed form for one file; pass it to `postObject` */
  generateOTAUploadURL(parameters?: GenerateParameters): Promise<UploadGrant>;
  /** Claims uploads for a new firmware package. */
  createOTAFirmware(parameters: CreateParameters): Promise<CreatedFirmware>;
  /** @returns everything about a firmware package, with a URL to download its file */
  queryOTAFirmware(parameters: FirmwareParameters): Promise<FirmwareInfo>;
  /** @returns a page of firmware packages, newest first */
  listOTAFirmware(parameters?: ListParameters): Promise<FirmwarePage>;
  /** Changes the name, the description or the udi of a firmware package. */
  modifyOTAFirmware(parameters: ModifyParameters): Promise<void>;
  /** Deletes a firmware package and its files. */
  deleteOTAFirmware(parameters: FirmwareParameters): Promise<void>;
  /** Calls any action. @returns the JSON of the response, with the names that it has on the wire */
  call(action: string, parameters?: Readonly<Record<string, SdkParameter>>): Promise<unknown>;
  /** Signs a call and does not send it: `request(app).post(signed.url).set(signed.headers)`. */
  sign(action: string, parameters?: Readonly<Record<string, SdkParameter>>): SignedCall;
}

/** Makes a client of the IoT API. */
export function createOtaClient(options: ApiClientOptions): OtaClient {
  const call = (
    action: string,
    parameters: Readonly<Record<string, SdkParameter>> = {},
  ): Promise<unknown> => callApi(options, action, wireParameters(parameters));
  const read = async <T>(schema: z.ZodType<T>, response: Promise<unknown>): Promise<T> =>
    schema.parse(camelize(await response));
  return {
    call,
    sign: (action, parameters = {}) => signCall(options, action, wireParameters(parameters)),
    generateOTAUploadURL: (parameters = {}) =>
      generateOTAUploadURL(options, wireParameters({ ...parameters })),
    createOTAFirmware: async (parameters) => {
      const { multiFiles, ...rest } = parameters;
      const files = multiFiles?.map((file) => ({ ...file }));
      const response = call('CreateOTAFirmware', { ...rest, multiFiles: files });
      return (await read(created(), response)).data;
    },
    queryOTAFirmware: async (parameters) =>
      (await read(queried(), call('QueryOTAFirmware', { ...parameters }))).firmwareInfo,
    listOTAFirmware: async (parameters = {}) => {
      const wanted = { currentPage: 1, pageSize: 100, ...parameters };
      const { firmwareInfo, ...rest } = await read(page(), call('ListOTAFirmware', wanted));
      return { ...rest, firmwareInfo: firmwareInfo.simpleFirmwareInfo };
    },
    modifyOTAFirmware: async (parameters) => {
      await call('ModifyOTAFirmware', { ...parameters });
    },
    deleteOTAFirmware: async (parameters) => {
      await call('DeleteOTAFirmware', { ...parameters });
    },
  };
}
