import type { Account } from '../accounts/accounts.ts';
import type { Keys } from '../accounts/keys.ts';
import { accountLimits, bucketLimits } from '../accounts/limit-rules.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../lib/clock.ts';
import { once } from '../lib/once.ts';
import { packageVersion } from '../lib/version.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { AccountListShape } from './account-shapes.ts';
import { listAccounts } from './accounts.ts';
import { createActions, requireOperator } from './actions.ts';
import type { ActionDependencies, Actions } from './actions.ts';
import type { RefusalReader } from '../refusals/refusal-journal.ts';
import type { FormJudge } from './ports.ts';
import { createQueries } from './queries.ts';
import type { Queries } from './queries.ts';
import { createRefusalQueries } from './refusals.ts';
import type { RefusalQueries } from './refusals.ts';
import type { AboutShape } from './shapes.ts';
import { iso } from './show.ts';
import type { UsageMeter } from './usage.ts';
import type { Viewer } from './viewer.ts';

/** What queries and actions are composed of. */
export interface OperatorDependencies extends Pick<ActionDependencies, 'platform' | 'purge'> {
  readonly config: Config;
  readonly keys: Keys;
  readonly deps: UploadDependencies;
  readonly meter: UsageMeter;
  /** Reads the refusals that are kept; undefined when none are. */
  readonly kept: RefusalReader | undefined;
  readonly judge: FormJudge;
  /** The clock of the machine. */
  readonly wallClock: Clock;
  /** Reads every file again that may change while the gateway runs. */
  readonly reload: () => void;
}

/** What people and tools ask of a running gateway, and what they change. */
export interface Operator {
  readonly queries: Queries;
  readonly meter: UsageMeter;
  readonly actions: Actions;
  readonly refusals: RefusalQueries;
  /** @returns all accounts, for an operator, without secrets */
  readonly listAccounts: (viewer: Viewer) => Promise<AccountListShape>;
  /** Describes the gateway to an account. */
  readonly about: (account: Account, viewer: Viewer) => Promise<AboutShape>;
}

export function composeOperator({
  config,
  deps,
  judge,
  kept,
  keys,
  meter,
  reload,
  wallClock,
  ...rest
}: OperatorDependencies): Operator {
  const { accounts, bucketKey } = keys;
  const queries = createQueries(deps);
  const actions = createActions({
    ...{ ...rest, accounts, bucketKey, queries, uploads: deps },
    reload,
  });
  const version = once(packageVersion);
  return {
    ...{ actions, meter, queries },
    refusals: createRefusalQueries({
      judge,
      wallClock,
      refusals: kept,
      keys: () => ({ accounts: accounts.all, bucketKey }),
      rules: deps.rules,
    }),
    listAccounts: async (viewer) => {
      requireOperator(viewer, 'the list of accounts; your own limits are in about');
      const totals = await meter.totals();
      const usedBy = (id?: string) => ({ ...totals.usedBy(id) });
      return listAccounts({ accounts: accounts.all, config, now: deps.clock.now(), usedBy });
    },
    about: async (account, viewer) => ({
      version: version(),
      time: iso(deps.clock.now()),
      testMode: config.testMode,
      bucket: config.bucket,
      ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
      account: { id: account.id, operator: viewer.isOperator },
      limits: limitsOf(config, account),
      used: await meter.used(account.id),
      ...(viewer.isOperator && {
        bucketLimits: { ...bucketLimits(config), used: await meter.used() },
      }),
      usage: await meter.now(viewer),
    }),
  };
}

function limitsOf(config: Config, account: Account): AboutShape['limits'] {
  const { claimTtl, issuedRetention, maxPackages, maxUpload, policyTtl, tombstoneRetention } =
    config;
  return {
    ...{ maxUpload, policyTtl, claimTtl, issuedRetention, tombstoneRetention, maxPackages },
    ...accountLimits(config, account),
  };
}
