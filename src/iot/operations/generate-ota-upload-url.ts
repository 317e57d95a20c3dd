import { FILE_SUFFIXES } from '../../policy/file-suffix.ts';
import { issueUpload } from '../../uploads/issue.ts';
import { LimitReached } from '../../uploads/limits.ts';
import { businessError } from '../errors.ts';
import { defaulted } from '../parameters/parameter.ts';
import { oneOf } from '../parameters/rules.ts';
import { toUtc } from '../../lib/dates.ts';
import { INSTANCE_ID } from './instance.ts';
import type { Operation } from './operation.ts';

const suffix = defaulted(
  'FileSuffix',
  'The file name extension of the file to upload.',
  oneOf(FILE_SUFFIXES, 'iot.firmware.InvalidGenerateOTAUploadURLParam'),
  'bin',
);

/** IoT Platform, "GenerateOTAUploadURL". */
export const generateOtaUploadUrl: Operation = {
  name: 'GenerateOTAUploadURL',
  summary: 'Signs a form that uploads one file, and returns the URL that the file will have.',
  perSecond: 10,
  parameters: [INSTANCE_ID, suffix],
  run: async ({ account, host, instanceId, record, requestId, uploads }, given) => {
    const grant = await issueUpload(uploads, {
      accountId: account.id,
      instanceId,
      suffix: suffix.read(given),
      requestId,
    }).catch(refuseAtLimit);
    record.keys = [grant.key];
    record.to = 'issued';
    return {
      Data: {
        Key: grant.key,
        Host: host,
        Policy: grant.policy,
        OSSAccessKeyId: grant.accessKeyId,
        ObjectStorage: 'OSS',
        UtcCreate: toUtc(grant.issuedAt),
        Signature: grant.signature,
        FirmwareUrl: `${host}/${grant.key}`,
      },
      RequestId: requestId,
      Success: true,
    };
  },
};

function refuseAtLimit(error: unknown): never {
  if (!(error instanceof LimitReached)) throw error;
  throw businessError('Throttling.Limit', { explanation: error.message });
}
