import type { NonceMemory } from '../../accounts/ports.ts';
import type { Sessions } from '../../console/sessions.ts';
import { publicHosts } from '../../http/public-host.ts';
import type { Recording } from '../../http/request-record.ts';
import type { Logger } from '../../lib/logger.ts';
import { composeOperator } from '../../operator/compose.ts';
import type { Operator, OperatorDependencies } from '../../operator/compose.ts';
import type { EventHub } from '../../operator/events.ts';
import type { RefusalReporter } from '../../refusals/refusal-record.ts';
import type { UploadLimits } from '../../uploads/limits.ts';
import type { Uploads } from '../../uploads/uploads.ts';
import type { AuthenticationDependencies } from './authenticate.ts';
import type { RecordDependencies } from './record-calls.ts';

/** What the operator API works with. */
export interface ApiDependencies extends AuthenticationDependencies, Operator, RecordDependencies {
  readonly hub: EventHub;
  /** Stores the files of a package that is sent in one request. */
  readonly uploads: Pick<Uploads, 'deposit' | 'withdraw'>;
  /** Absent: nothing is limited. */
  readonly limits: UploadLimits | undefined;
  readonly logger: Logger;
}

/** What the operator API is composed of. */
export interface ApiParts extends Omit<OperatorDependencies, 'wallClock'> {
  readonly hub: EventHub;
  readonly nonces: NonceMemory;
  readonly uploads: Uploads;
  readonly recording: Recording;
  /** Keeps refused sign-ins. */
  readonly reporter: RefusalReporter;
  /** Undefined while the console is off. */
  readonly sessions?: Sessions | undefined;
}

/** Composes the operator API. Not done at the start, because most test suites never use it. */
export function composeApi({
  nonces,
  recording,
  sessions,
  uploads,
  ...parts
}: ApiParts): ApiDependencies {
  const { config, deps, hub, keys } = parts;
  const { publicUrl } = config;
  return {
    ...composeOperator({ ...parts, wallClock: recording.wallClock }),
    ...{ hub, nonces, publicUrl, recording, sessions, uploads },
    wallClock: recording.wallClock,
    ids: deps.ids,
    accounts: keys.accounts,
    clock: deps.clock,
    limits: deps.limits,
    logger: deps.logger,
    publicHosts: publicHosts(publicUrl),
  };
}
