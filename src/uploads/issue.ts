import { otaObjectKey, tenantSegment } from '../policy/object-key.ts';
import type { FileSuffix } from '../policy/object-key.ts';
import { encodePolicy } from '../policy/policy-document.ts';
import { uploadPolicy } from '../policy/upload-policy.ts';
import type { UploadDependencies } from './dependencies.ts';

/** Who asks for an upload, and for what. */
export interface IssueRequest {
  readonly accountId: string;
  readonly instanceId: string | undefined;
  readonly suffix: FileSuffix;
}

/** A signed form: whoever has it may store one object under its key until the policy expires. */
export interface Grant {
  readonly key: string;
  /** The policy document as signed: base64 text. */
  readonly policy: string;
  readonly accessKeyId: string;
  readonly signature: string;
  /** Unix milliseconds. */
  readonly issuedAt: number;
}

/** Mints an object key, signs a policy for exactly that key, and remembers who was given it. */
export async function issueUpload(deps: UploadDependencies, request: IssueRequest): Promise<Grant> {
  const { clock, ids, ledger, policySigner, rules } = deps;
  const issuedAt = clock.now();
  const policyExpiresAt = issuedAt + rules.policyTtl;
  const tenant = tenantSegment(request.accountId, request.instanceId);
  const key = otaObjectKey(tenant, ids.objectName(issuedAt), request.suffix);
  const policy = encodePolicy(
    uploadPolicy({
      bucket: rules.bucket,
      key,
      expiration: policyExpiresAt,
      maxBytes: rules.maxUploadBytes,
    }),
  );
  await ledger.recordIssued({ key, accountId: request.accountId, issuedAt, policyExpiresAt });
  return {
    key,
    policy,
    accessKeyId: policySigner.accessKeyId,
    signature: policySigner.sign(policy),
    issuedAt,
  };
}
