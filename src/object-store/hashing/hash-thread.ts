import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { parentPort } from 'node:worker_threads';
import { setImmediate } from '../../lib/timers.ts';
import { createCrc64Engine } from './crc64.ts';
import type { HashRequest, HashResponse } from './hash-messages.ts';
import type { DigestName } from './hasher.ts';

/** A thread that hashes files. It reads them behind their writer, while their pages are still in memory. */

const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
const STEP_BYTES = 16 * buffer.length;

interface FollowedJob {
  /** Opened for each step, because thousands of uploads may stall at the same time. */
  readonly path: string;
  readonly hash: RunningHash;
  position: number;
}

/** A digest that is being computed. */
interface RunningHash {
  update(bytes: Buffer): unknown;
  /** @returns the digest as text */
  digest(): string;
}

const followed = new Map<number, FollowedJob>();
const crc64 = createCrc64Engine();

function startHash(digest: DigestName): RunningHash {
  if (digest === 'crc64') return crc64.start();
  const hash = createHash(digest);
  return { update: (bytes) => hash.update(bytes), digest: () => hash.digest('hex') };
}

function advance(state: FollowedJob, size: number): void {
  if (state.position >= size) return;
  const file = openSync(state.path, 'r');
  try {
    while (state.position < size) {
      const wanted = Math.min(buffer.length, size - state.position);
      const read = readSync(file, buffer, 0, wanted, state.position);
      if (read === 0) throw new Error('the file is shorter than its writer says');
      state.hash.update(buffer.subarray(0, read));
      state.position += read;
    }
  } finally {
    closeSync(file);
  }
}

function finish(job: number, state: FollowedJob, size: number): HashResponse {
  advance(state, size);
  followed.delete(job);
  return { job, kind: 'done', digest: state.hash.digest() };
}

/** Computes in steps, so that other jobs can run between them. */
async function sha256Of(path: string): Promise<string> {
  const file = openSync(path, 'r');
  try {
    const sha256 = createHash('sha256');
    let position = 0;
    for (;;) {
      const read = readSync(file, buffer, 0, buffer.length, position);
      if (read === 0) return sha256.digest('hex');
      sha256.update(buffer.subarray(0, read));
      position += read;
      if (position % STEP_BYTES === 0) await new Promise(setImmediate);
    }
  } finally {
    closeSync(file);
  }
}

function handleFollowed(request: HashRequest): HashResponse | undefined {
  const { job } = request;
  if (request.kind === 'follow') {
    followed.set(job, { path: request.path, hash: startHash(request.digest), position: 0 });
    return undefined;
  }
  const state = followed.get(job);
  if (state === undefined) return undefined;
  if (request.kind === 'advance') advance(state, request.size);
  if (request.kind === 'finish') return finish(job, state, request.size);
  if (request.kind === 'stop') followed.delete(job);
  return undefined;
}

/** Handles a request, in the order of the requests up to the first `await`. */
async function respond(request: HashRequest, port: MessagePort): Promise<void> {
  const { job } = request;
  try {
    const result =
      request.kind === 'sha256'
        ? ({ job, kind: 'done', digest: await sha256Of(request.path) } as const)
        : handleFollowed(request);
    if (result !== undefined) port.postMessage(result);
  } catch (error) {
    followed.delete(job);
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ job, kind: 'failed', message } satisfies HashResponse);
  }
}

/**
 * Ends the thread by an uncaught error when `respond` itself fails. Its owner rejects all jobs and starts a new thread.
 */
function throwUncaught(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function listen(port: MessagePort): void {
  port.on('message', (request: HashRequest) => {
    respond(request, port).catch(throwUncaught);
  });
}

if (parentPort !== null) listen(parentPort);
