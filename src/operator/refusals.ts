import type { Account } from '../accounts/accounts.ts';
import type { Clock } from '../lib/clock.ts';
import type { ListedRefusal, RefusalQuery, RefusalReader } from '../refusals/refusal-journal.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { UploadRules } from '../uploads/dependencies.ts';
import { OperatorError } from './errors.ts';
import { explain } from './explain/explain.ts';
import type { ExplainContext } from './explain/explain.ts';
import { judgeFields, restoreForm } from './explain/judge.ts';
import { knownAccountKey } from './explain/known-mistakes.ts';
import type { KnownKey } from './explain/known-mistakes.ts';
import type { RefusalFilter, RefusalGroupFilter } from './filters.ts';
import type { FormInput } from './inputs.ts';
import type { FormJudge } from './ports.ts';
import type { RefusalGroupsShape } from './refusal-shapes.ts';
import type { ExplainedShape, JudgedShape, Page, RefusalShape } from './shapes.ts';
import { showRefusal, showRefusalGroup } from './show-requests.ts';
import { NOTHING, seesAccount, visibleAccount } from './viewer.ts';
import type { Viewer } from './viewer.ts';

/** What people ask about refused requests. */
export interface RefusalQueries {
  listRefusals(viewer: Viewer, filter: RefusalFilter): Promise<Page<RefusalShape>>;
  /** Groups them by reason, code and operation. */
  groupRefusals(viewer: Viewer, filter: RefusalGroupFilter): Promise<RefusalGroupsShape>;
  /** @returns undefined when there is none that the viewer sees */
  explainRequest(viewer: Viewer, requestId: string): Promise<ExplainedShape | undefined>;
  /**
   * Judges a form as PostObject does, without any effect.
   * @returns undefined when the viewer sees no refused request of the id
   */
  explainForm(viewer: Viewer, form: FormInput): Promise<JudgedShape | undefined>;
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
  /** Absent when the bucket key is not known. */
  readonly judge: FormJudge | undefined;
  /** The clock of the times of refusals. */
  readonly wallClock: Clock;
  readonly rules: Pick<UploadRules, 'bucket' | 'policyTtl' | 'maxUploadBytes'>;
}

export function createRefusalQueries({
  judge,
  keys,
  refusals,
  rules,
  wallClock,
}: RefusalQueryDependencies): RefusalQueries {
  const contextFor = (viewer: Viewer): ExplainContext => {
    const { bucket, maxUploadBytes: maxUpload, policyTtl } = rules;
    return { bucket, policyTtl, maxUpload, keys: knownKeys(keys(), viewer) };
  };
  return {
    listRefusals: async (viewer, { account, after, code, key, limit, operation, reason }) => {
      const accountId = visibleAccount(viewer, account);
      if (accountId === NOTHING || refusals === undefined) return { items: [] };
      const query: RefusalQuery = {
        ...(accountId !== undefined && { account: accountId }),
        ...(reason !== undefined && { reason }),
        ...(code !== undefined && { code }),
        ...(operation !== undefined && { operation }),
        ...(key !== undefined && { key }),
        ...(after !== undefined && { before: after }),
        limit: limit + 1,
      };
      return toPage(await refusals.list(query), limit);
    },
    groupRefusals: async (viewer, { account, last }) => {
      const accountId = visibleAccount(viewer, account);
      if (accountId === NOTHING || refusals === undefined) return { items: [], more: false };
      const found = await refusals.groups({
        ...(accountId !== undefined && { account: accountId }),
        ...(last !== undefined && { since: wallClock.now() - last }),
        limit: MAX_GROUPS + 1,
      });
      return {
        items: found.slice(0, MAX_GROUPS).map(showRefusalGroup),
        more: found.length > MAX_GROUPS,
      };
    },
    explainRequest: async (viewer, requestId) => {
      const found = await refusals?.find(requestId);
      if (found === undefined || !seesAccount(viewer, found.account)) return undefined;
      return { refusal: showRefusal(found), story: explain(found, contextFor(viewer)) };
    },
    explainForm: async (viewer, { fields, requestId }) => {
      const found = requestId === undefined ? undefined : await refusals?.find(requestId);
      const isSeen = found !== undefined && seesAccount(viewer, found.account);
      if (requestId !== undefined && !isSeen) return undefined;
      if (judge === undefined) throw NO_JUDGE;
      return judgeFields(restoreForm(fields, found), judge, contextFor(viewer));
    },
  };
}

/** How many groups are listed. */
const MAX_GROUPS = 200;

const NO_JUDGE = new OperatorError(
  'conflict',
  'NoBucketKey',
  'this data folder has no bucket key, with which forms are signed',
  'start the gateway once, or set OTA_GATEWAY_OSS_ACCESS_KEY_ID and its secret',
);

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
  return {
    ...{ id, kind: 'bucket', hmac: (...given) => bucketKey.hmac(...given) },
    signV4: (scope, text) => bucketKey.signPostV4(scope, text),
  };
}
