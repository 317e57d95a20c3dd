import type { Keys } from '../accounts/keys.ts';
import type { NonceMemory } from '../accounts/ports.ts';
import type { Config } from '../config/config.ts';
import type { Recording } from '../http/request-record.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { Challenges } from './challenges.ts';
import { FailedTries } from './failed-tries.ts';
import { PAGE_FOLDER, createPageReader } from './page-files.ts';
import type { ConsoleDependencies } from './router.ts';
import { Sessions } from './sessions.ts';

/** What the console is composed of. */
export interface ConsoleParts {
  readonly config: Pick<Config, 'publicUrl'>;
  readonly keys: Keys;
  readonly deps: Pick<UploadDependencies, 'clock'>;
  readonly nonces: NonceMemory;
  readonly recording: Pick<Recording, 'monotonicClock' | 'wallClock'>;
  readonly noteAccount: ConsoleDependencies['noteAccount'];
}

/** Composes the console. */
export function composeConsole({
  config: { publicUrl },
  deps: { clock },
  keys: { accounts, bucketKey, generatedAccountFile: credentialsFile },
  nonces,
  noteAccount,
  recording: { monotonicClock, wallClock },
}: ConsoleParts): ConsoleDependencies {
  return {
    ...{ accounts, clock, credentialsFile, noteAccount, publicUrl },
    challenges: new Challenges({ bucketKey, nonces, wallClock, clock }),
    failed: new FailedTries(monotonicClock),
    sessions: new Sessions({ accounts, bucketKey, clock, wallClock }),
    page: createPageReader(PAGE_FOLDER),
  };
}
