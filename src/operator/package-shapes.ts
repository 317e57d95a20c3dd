/* The JSON of firmware packages. */
import { z } from 'zod';
import { bytes, hexadecimal, time } from './shape-parts.ts';

const STATUS_NAMES = ['notNeeded', 'unverified', 'verified', 'verifying', 'failed'] as const;

/** A firmware package. */
export const packageShape = z.object({
  firmwareId: z.string(),
  name: z.string().describe('FirmwareName'),
  version: z.string().describe('DestVersion'),
  srcVersion: z.string().exactOptional(),
  moduleName: z.string(),
  accountId: z.string(),
  instanceId: z.string().exactOptional(),
  productKey: z.string().exactOptional(),
  description: z.string().exactOptional(),
  status: z.enum(STATUS_NAMES),
  verifyProgress: z.int().min(0).max(100).describe('percent'),
  signMethod: z.enum(['MD5', 'SHA256']),
  files: z.array(
    z.object({
      name: z.string().exactOptional(),
      key: z.string(),
      size: bytes,
      sign: hexadecimal,
      md5: hexadecimal,
    }),
  ),
  createdAt: time,
  modifiedAt: time,
});

/** A URL that downloads a file of a package. */
export const linkShape = z.object({
  name: z.string().exactOptional().describe('of the file in its package'),
  key: z.string(),
  url: z.string(),
  expiresAt: time,
});

const upgradeFile = z.object({
  fileSize: bytes,
  fileName: z.string(),
  fileUrl: z.string(),
  fileMd5: z.string(),
  fileSign: z.string(),
});

/** The message that the platform pushes to a device. */
export const pushMessageShape = z.object({
  code: z.literal('1000'),
  message: z.literal('success'),
  id: z.int().describe('time of the push, Unix milliseconds'),
  data: z.object({
    size: bytes.exactOptional(),
    version: z.string(),
    isDiff: z.literal(1).exactOptional(),
    url: z.string().exactOptional(),
    md5: z.string().exactOptional(),
    sign: z.string().exactOptional(),
    signMethod: z.enum(['MD5', 'SHA256']),
    module: z.string().exactOptional(),
    files: z.array(upgradeFile).exactOptional().describe('of a package with several files'),
    extData: z.object({ _package_udi: z.string() }).exactOptional(),
  }),
});

export type PackageShape = z.infer<typeof packageShape>;
export type LinkShape = z.infer<typeof linkShape>;
export type PushMessageShape = z.infer<typeof pushMessageShape>;
