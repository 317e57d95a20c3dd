import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The built program. */
export const MAIN = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');
const START_LIMIT_MS = 15_000;

export const ACCOUNT_KEY = { id: 'testid', secret: 'testsecret' };
export const BUCKET_KEY = { id: 'bucketid', secret: 'bucketsecret' };

const started = new Set<ChildProcess>();

/** Kills gateways that a failed test has left running. */
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

/** The built program, running in a separate process. */
export interface BuiltGateway {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  /** Everything that it has written to standard output and standard error so far. */
  output(): string;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Makes a folder for the data of a gateway. @returns its path, and a function that removes it with its content */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ota-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Runs a command of the built program, and waits for its end. */
export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/**
 * Starts `ota-gateway serve`.
 * @param port - 0: a free one
 * @param launcher - a program that starts it, with its arguments
 * @returns once it accepts requests
 */
export async function startBuiltGateway(
  dataDir: string,
  environment: Readonly<Record<string, string>> = {},
  port = 0,
  launcher: readonly string[] = [],
): Promise<BuiltGateway> {
  const args = ['serve', '--port', String(port), '--data-dir', dataDir];
  const [program = '', ...all] = [...launcher, process.execPath, MAIN, ...args];
  const child = spawn(program, all, {
    env: {
      PATH: process.env['PATH'],
      OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
      OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
      OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
      OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
      OTA_GATEWAY_QPS: 'off',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the gateway did not start in time: ${output}`));
    }, START_LIMIT_MS);
    const read = (chunk: Buffer): void => {
      output += String(chunk);
      const found = /^listening on (\S+)$/m.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(limit);
      resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(limit);
      reject(new Error(`the gateway ended with ${String(code)}: ${output}`));
    });
  });
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    dataDir,
    output: () => output,
    stop: async () => {
      await end(child, 'SIGTERM');
      return child.exitCode;
    },
    kill: () => end(child, 'SIGKILL'),
  };
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** The names of all bodies on disk: complete ones and staged ones. */
export async function bodiesOnDisk(
  dataDir: string,
): Promise<{ objects: string[]; staging: string[] }> {
  const objects = await readdir(join(dataDir, 'objects'), { recursive: true });
  const staging = await readdir(join(dataDir, 'staging'));
  // Names without a slash are folders, which have two characters.
  return { objects: objects.filter((name) => name.includes('/')), staging };
}

/** Waits until a condition is true. @throws after a limit that is much longer than the expected time */
export async function eventually(
  isTrue: () => Promise<boolean> | boolean,
  limitMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${String(limitMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
