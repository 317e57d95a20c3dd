import type { Account } from '../accounts/accounts.ts';
import type { ListedRefusal, RefusalQuery, RefusalReader } from '../refusals/refusal-journal.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { UploadRules } from '../uploads/dependencies.ts';
import { explain } from './explain/explain.ts';
import { knownAccountKey } from './explain/known-mistakes.ts';
import type { KnownKey } from './explain/known-mistakes.ts';
import type { RefusalFilter } from './filters.ts';
import type { ExplainedShape, Page, RefusalShape } from './shapes.ts';
import { showRefusal } from './show-requests.ts';
import { NOTHING, seesAccount, visibleAccount } from './viewer.ts';
import type { Viewer } from './viewer.ts';

/** What people ask about refused requests. */
export interface RefusalQueries {
  listRefusals(viewer: Viewer, filter: RefusalFilter): Promise<Page<RefusalShape>>;
  /** @returns undefined when there is none that the viewer sees */
  explainRequest(viewer: Viewer, requestId: string): Promise<ExplainedShape | undefined>;
}

/** The keys of a gateway. */
export interface RefusalKeys {
  readonly accounts: readonly Account[];
  /** Absent when it is not known. */
  readonly bucketKey?: BucketKey;
}

interface RefusalQueryDependencies {
  /** Undefined when refusals are not kept. */
  readonly refusals: RefusalReader | undefined;
  /** Returns the keys that known mistakes are tried with. */
  readonly keys: () => RefusalKeys;
  readonly rules: Pick<UploadRules, 'bucket' | 'policyTtl' | 'maxUploadBytes'>;
}

export function createRefusalQueries({
  keys,
  refusals,
  rules,
}: RefusalQueryDependencies): RefusalQueries {
  return {
    listRefusals: async (viewer, { account, after, key, limit, reason }) => {
      const accountId = visibleAccount(viewer, account);
      if (accountId === NOTHING || refusals === undefined) return { items: [] };
      const query: RefusalQuery = {
        ...(accountId !== undefined && { account: accountId }),
        ...(reason !== undefined && { reason }),
        ...(key !== undefined && { key }),
        ...(after !== undefined && { before: after }),
        limit: limit + 1,
      };
      return toPage(await refusals.list(query), limit);
    },
    explainRequest: async (viewer, requestId) => {
      const found = await refusals?.find(requestId);
      if (found === undefined || !seesAccount(viewer, found.account)) return undefined;
      const { bucket, maxUploadBytes: maxUpload, policyTtl } = rules;
      const known = knownKeys(keys(), viewer);
      const story = explain(found, { bucket, policyTtl, maxUpload, keys: known });
      return { refusal: showRefusal(found), story };
    },
  };
}

/** @returns the keys that known mistakes are tried with: those of accounts that the viewer sees, and of the bucket */
function knownKeys({ accounts, bucketKey }: RefusalKeys, viewer: Viewer): KnownKey[] {
  const own = accounts.filter((account) => seesAccount(viewer, account.id));
  return [
    ...(bucketKey === undefined ? [] : [knownBucketKey(bucketKey)]),
    ...own.flatMap(({ accessKeys }) => accessKeys.map(knownAccountKey)),
  ];
}

function toPage(found: readonly ListedRefusal[], limit: number): Page<RefusalShape> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const more = found.length > limit && last !== undefined;
  return {
    items: items.map(({ refusal }) => showRefusal(refusal)),
    ...(more && { next: last.sequence.toString(36) }),
  };
}

function knownBucketKey(bucketKey: BucketKey): KnownKey {
  const { accessKeyId: id } = bucketKey;
  return { id, kind: 'bucket', hmac: (...given) => bucketKey.hmac(...given) };
}
