import { isDisabled } from '../accounts/accounts.ts';
import type { AccountDirectory, Credential } from '../accounts/accounts.ts';
import type { Clock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import { OperatorError } from '../operator/errors.ts';
import type { RefusalReason } from '../refusals/refusal-reason.ts';
import { equalInConstantTime } from '../signatures/constant-time.ts';
import { hmacSha256 } from '../signatures/digests.ts';
import type { Challenges } from './challenges.ts';
import type { FailedTries } from './failed-tries.ts';
import { PROOF_PREFIX } from './shapes.ts';
import type { SignInInput } from './shapes.ts';

/** What signing in works with. */
export interface SignInDependencies {
  readonly accounts: AccountDirectory;
  readonly challenges: Challenges;
  readonly failed: FailedTries;
  /** The clock of the gateway, by which access keys are disabled. */
  readonly clock: Clock;
}

/** Too many failures: the client has to wait. */
export class TooManyTries extends OperatorError {
  readonly waitMs: number;

  constructor(waitMs: number) {
    const seconds = String(Math.ceil(waitMs / 1000));
    super(
      'tooMany',
      'TooManyTries',
      `signing in has failed too often; try again in ${seconds} s`,
      'after 5 failures in a minute the gateway reads no further try with that access key',
    );
    this.waitMs = waitMs;
  }
}

/** Stands in for the secret of an access key that does not exist, so that its refusal takes the same time. */
const NO_SECRET = randomIds.locator();

/**
 * Checks that a client knows the secret of an access key, which it does not send. A wrong id, a wrong secret and a disabled
 * key are refused alike.
 * @param peer - the address of the client
 * @throws OperatorError
 */
export async function checkProof(
  { accounts, challenges, clock, failed }: SignInDependencies,
  peer: string,
  { challenge, id, proof }: Pick<SignInInput, 'challenge' | 'id' | 'proof'>,
): Promise<Credential> {
  const wait = failed.wait(peer, id);
  if (wait > 0) throw new TooManyTries(wait);
  if (!challenges.isFresh(challenge)) throw staleChallenge('clock_skew');
  const credential = accounts.find(id);
  const secret = credential?.accessKey.secret ?? NO_SECRET;
  const right = hmacSha256(secret, [PROOF_PREFIX, id, challenge].join('\n')).toString('hex');
  const isRight = equalInConstantTime(proof, right);
  const isOff = credential !== undefined && isDisabled(credential.accessKey, clock.now());
  if (credential === undefined || !isRight || isOff) {
    failed.add(peer, id);
    throw refusal(reasonOf(credential, isOff));
  }
  if (credential.accessKey.securityToken !== undefined) throw temporaryKey();
  // Only a right proof uses a challenge up, so that strangers cannot fill the memory of the used ones.
  if (!(await challenges.burn(challenge))) throw staleChallenge('replayed');
  failed.forget(peer, id);
  return credential;
}

/** For the log only: the client must not learn which it is. */
function reasonOf(credential: Credential | undefined, isOff: boolean): RefusalReason {
  if (credential === undefined) return 'unknown_access_key';
  return isOff ? 'disabled_access_key' : 'signature_mismatch';
}

function refusal(reason: RefusalReason): OperatorError {
  return new OperatorError(
    'unauthenticated',
    'SignInRefused',
    'this access key and this secret cannot sign in',
    'check both; the access key may also be disabled',
    reason,
  );
}

function staleChallenge(reason: RefusalReason): OperatorError {
  return new OperatorError(
    'unauthenticated',
    'ChallengeExpired',
    'the challenge is not one of this gateway, is older than 60 seconds, or was used already',
    'get another one, and sign it',
    reason,
  );
}

function temporaryKey(): OperatorError {
  return new OperatorError(
    'forbidden',
    'TemporaryKey',
    'temporary access keys, those with a security token, cannot sign in',
    'sign in with a permanent access key',
    'security_token',
  );
}
