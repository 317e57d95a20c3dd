import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { ACCOUNT_KEY, BUCKET_KEY } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { claim, grantFrom, post } from '../../support/loop.ts';
import { signPolicy } from './hostile-forms.ts';

const MIB = 1024 * 1024;
const BUCKET = 'iotx-ota';
/** Unix seconds, far in the future. */
const NEVER = 4_000_000_000;
/** Low priority: they run only when no measured process needs the processor. */
const NICE = 10;

/** Outcomes of the attacks: name -> status and code, `cut`, `reset`, `held` -> count. */
export type Outcomes = Readonly<Record<string, Readonly<Record<string, number>>>>;

const outcomesSchema = z.record(z.string(), z.record(z.string(), z.number()));

const children = new Set<ChildProcess>();

/** Ends processes that a failed test has left running. */
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** What attackers know of a gateway: its port, a signed URL, two signed forms, and the id of an access key. */
export interface Target {
  readonly port: number;
  readonly signedPath: string;
  readonly form: Readonly<Record<string, string>>;
  /** The same with a callback whose body has `x:a` 500 times. */
  readonly callbackForm: Readonly<Record<string, string>>;
  readonly accessKeyId: string;
}

/** Stores an object of 3 MiB, and signs what attackers may know. */
export async function createTarget({ port, url }: BuiltGateway): Promise<Target> {
  const grant = await grantFrom(url);
  const { status } = await post(grant, patternBytes(3 * MIB));
  if (status !== 200) throw new Error(`an upload was answered with ${String(status)}`);
  await claim(url, grant, 'attacked');
  const query = createBucketKey(BUCKET_KEY.id, BUCKET_KEY.secret).signDownload(
    BUCKET,
    grant.key,
    NEVER,
  );
  const callback = base64({
    callbackUrl: 'http://127.0.0.1:9/',
    callbackBody: '${x:a}'.repeat(500),
  });
  return {
    port,
    signedPath: `/${grant.key}?${query}`,
    form: signedForm([]),
    callbackForm: { ...signedForm([['eq', '$callback', callback]]), callback },
    accessKeyId: ACCOUNT_KEY.id,
  };
}

function signedForm(conditions: readonly unknown[]): Record<string, string> {
  const policy = base64({
    expiration: '2099-01-01T00:00:00.000Z',
    conditions: [{ bucket: BUCKET }, ...conditions],
  });
  return {
    key: 'attacked.bin',
    policy,
    OSSAccessKeyId: BUCKET_KEY.id,
    Signature: signPolicy(policy),
  };
}

function base64(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64');
}

/** A process full of hostile clients. */
export class Attackers {
  readonly #child: ChildProcess;
  /** Resolves with the outcomes after each attacker has ended. */
  readonly finished: Promise<Outcomes>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.finished = once(child, 'message').then(([outcomes]) => outcomesSchema.parse(outcomes));
    // Avoids an unhandled rejection: a caller of `stop` does not await this.
    this.finished.catch(() => undefined);
  }

  /**
   * Starts to attack.
   * @param attacks - names of ATTACKS; absent: all of them repeat until `stop`
   */
  static async start(target: Target, attacks?: readonly string[]): Promise<Attackers> {
    const setup = { target, attacks: attacks ?? [], forever: attacks === undefined };
    const child = fork(join(__dirname, 'attack-player.js'), [JSON.stringify(setup)]);
    children.add(child);
    await once(child, 'message');
    setPriority(child.pid ?? 0, NICE);
    const attackers = new Attackers(child);
    child.send('go');
    return attackers;
  }

  /** Resets all running attacks. @returns the outcomes so far */
  async stop(): Promise<Outcomes> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return {};
    const exited = once(this.#child, 'exit');
    this.#child.send('stop');
    const outcomes = await this.finished;
    this.#child.disconnect();
    await exited;
    return outcomes;
  }
}
