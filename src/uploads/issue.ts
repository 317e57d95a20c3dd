import { otaObjectKey, tenantSegment } from '../policy/object-key.ts';
import type { FileSuffix } from '../policy/file-suffix.ts';
import { encodePolicy } from '../policy/policy-document.ts';
import { uploadPolicy } from '../policy/upload-policy.ts';
import type { UploadDependencies } from './dependencies.ts';

/** A request for a signed form. */
export interface IssueRequest {
  readonly accountId: string;
  readonly instanceId: string | undefined;
  readonly suffix: FileSuffix;
  /** Id of the request that asks for it. */
  readonly requestId?: string | undefined;
}

/** A signed form. It stores objects under its key until the policy expires. */
export interface Grant {
  readonly key: string;
  /** The signed policy document: base64 text. */
  readonly policy: string;
  readonly accessKeyId: string;
  readonly signature: string;
  /** Unix milliseconds. */
  readonly issuedAt: number;
}

/**
 * Generates an object key, signs a policy for exactly that key, and records the account.
 * @throws LimitReached
 */
export async function issueUpload(deps: UploadDependencies, request: IssueRequest): Promise<Grant> {
  const admission = deps.limits?.admitForm(request.accountId);
  if (admission === undefined) return issue(deps, request);
  const end = await admission;
  return issue(deps, request).finally(end);
}

async function issue(deps: UploadDependencies, request: IssueRequest): Promise<Grant> {
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
  const { accountId, requestId } = request;
  const grant = { key, accountId, issuedAt, policyExpiresAt, requestId };
  await ledger.recordIssued(grant, deps.limits?.roomForForm(accountId));
  deps.observer.issued?.(grant);
  return {
    key,
    policy,
    accessKeyId: policySigner.accessKeyId,
    signature: policySigner.sign(policy),
    issuedAt,
  };
}
