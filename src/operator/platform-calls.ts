import { z } from 'zod';
import type { Account } from '../accounts/accounts.ts';
import { percentEncode } from '../signatures/percent-encoding.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { GrantInput, PackageFields } from './inputs.ts';
import type { Platform } from './ports.ts';
import type { GrantShape } from './upload-shapes.ts';
import { iso } from './show.ts';

interface CallDependencies {
  readonly platform: Platform;
  readonly uploads: Pick<UploadDependencies, 'clock' | 'rules'>;
}

/** The request that causes a call. */
export interface CallOrigin {
  /** The address of the gateway as the caller sees it. */
  readonly host: string;
  readonly requestId: string;
}

const grantResult = z.object({
  Data: z.object({
    Key: z.string(),
    Host: z.string(),
    Policy: z.string(),
    OSSAccessKeyId: z.string(),
    Signature: z.string(),
    FirmwareUrl: z.string(),
  }),
});

/** Calls GenerateOTAUploadURL. */
export async function signGrant(
  { platform, uploads: { clock, rules } }: CallDependencies,
  account: Account,
  { instanceId, suffix }: Omit<GrantInput, 'account'>,
  { host, requestId }: CallOrigin,
): Promise<GrantShape> {
  // Before the call, so that the form is valid at least until then.
  const expiresAt = clock.now() + rules.policyTtl;
  const result = await platform.run({
    account,
    host,
    requestId,
    operation: 'GenerateOTAUploadURL',
    parameters: { FileSuffix: suffix, IotInstanceId: instanceId },
  });
  const { Data } = grantResult.parse(result);
  return {
    key: Data.Key,
    host: Data.Host,
    fields: {
      key: Data.Key,
      policy: Data.Policy,
      OSSAccessKeyId: Data.OSSAccessKeyId,
      signature: Data.Signature,
      success_action_status: '200',
    },
    firmwareUrl: Data.FirmwareUrl,
    expiresAt: iso(expiresAt),
  };
}

/** An upload to claim, and the name that it gets in a package of several files. */
export interface ClaimedKey {
  readonly key: string;
  /** Absent: the last part of the key. */
  readonly name?: string;
}

const packageResult = z.object({ Data: z.object({ FirmwareId: z.string() }) });

/** The longest name of a file in a package (IoT Platform, "CreateOTAFirmware"). */
const MAX_FILE_NAME = 32;
/** Nothing listens there: the call stays in the process. */
const INSIDE = 'http://gateway';

/** Calls CreateOTAFirmware. @returns the id of the package */
export async function createPackage(
  { platform }: CallDependencies,
  account: Account,
  fields: Omit<PackageFields, 'account'>,
  files: readonly ClaimedKey[],
  requestId: string,
): Promise<string> {
  const result = await platform.run({
    account,
    host: INSIDE,
    requestId,
    operation: 'CreateOTAFirmware',
    parameters: {
      FirmwareName: fields.name,
      DestVersion: fields.version,
      ProductKey: fields.productKey,
      ModuleName: fields.moduleName,
      FirmwareDesc: fields.description,
      IotInstanceId: fields.instanceId,
      ...fileParameters(files),
    },
  });
  return packageResult.parse(result).Data.FirmwareId;
}

function fileParameters(files: readonly ClaimedKey[]): Record<string, string> {
  const [only, ...others] = files;
  if (only !== undefined && others.length === 0) return { FirmwareUrl: urlOf(only.key) };
  return Object.fromEntries(
    files.flatMap(({ key, name = key.slice(key.lastIndexOf('/') + 1) }, index) => [
      [`MultiFiles.${String(index + 1)}.Name`, Array.from(name).slice(-MAX_FILE_NAME).join('')],
      [`MultiFiles.${String(index + 1)}.Url`, urlOf(key)],
    ]),
  );
}

function urlOf(key: string): string {
  return `${INSIDE}/${key.split('/').map(percentEncode).join('/')}`;
}
