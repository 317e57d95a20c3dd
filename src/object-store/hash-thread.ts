import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { parentPort } from 'node:worker_threads';
import type { Crc64 } from './digests.ts';
import { crc64Decimal, createCrc64 } from './digests.ts';
import type { HashAnswer, HashRequest } from './hash-messages.ts';

/** Reads files behind their writer, while their pages are still in memory, and hashes them. */

const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
const STEP_BYTES = 16 * buffer.length;

interface FollowedJob {
  readonly file: number;
  readonly md5: Hash;
  readonly crc64: Crc64;
  position: number;
}

const followed = new Map<number, FollowedJob>();
const spareCrcs: Crc64[] = [];

function follow(job: number, path: string, crc64: Crc64): void {
  crc64.init();
  followed.set(job, { file: openSync(path, 'r'), md5: createHash('md5'), crc64, position: 0 });
}

function advance(state: FollowedJob, size: number): void {
  while (state.position < size) {
    const wanted = Math.min(buffer.length, size - state.position);
    const read = readSync(state.file, buffer, 0, wanted, state.position);
    if (read === 0) throw new Error('the file is shorter than its writer says');
    const bytes = buffer.subarray(0, read);
    state.md5.update(bytes);
    state.crc64.update(bytes);
    state.position += read;
  }
}

function forget(job: number, state: FollowedJob): void {
  closeSync(state.file);
  spareCrcs.push(state.crc64);
  followed.delete(job);
}

function finish(job: number, state: FollowedJob, size: number): HashAnswer {
  advance(state, size);
  const answer = {
    job,
    kind: 'followed',
    md5: state.md5.digest('hex'),
    crc64: crc64Decimal(state.crc64),
  } as const;
  forget(job, state);
  return answer;
}

/** In steps, so that the files that are followed meanwhile get their turn. */
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

async function serveFollowed(request: HashRequest): Promise<HashAnswer | undefined> {
  const { job } = request;
  if (request.kind === 'follow') {
    follow(job, request.path, spareCrcs.pop() ?? (await createCrc64()));
    return undefined;
  }
  const state = followed.get(job);
  if (state === undefined) return undefined;
  if (request.kind === 'advance') advance(state, request.size);
  if (request.kind === 'finish') return finish(job, state, request.size);
  if (request.kind === 'abandon') forget(job, state);
  return undefined;
}

async function answer(
  job: number,
  serving: Promise<HashAnswer | undefined>,
  port: MessagePort,
): Promise<void> {
  try {
    const result = await serving;
    if (result !== undefined) port.postMessage(result);
  } catch (error) {
    const state = followed.get(job);
    if (state !== undefined) forget(job, state);
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ job, kind: 'failed', message } satisfies HashAnswer);
  }
}

/** What `answer` cannot tell in an answer ends the thread; its owner fails what was running and starts another. */
function die(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function listen(port: MessagePort): void {
  let inOrder = Promise.resolve();
  port.on('message', (request: HashRequest) => {
    if (request.kind === 'sha256') {
      const serving = sha256Of(request.path).then((sha256): HashAnswer => ({
        job: request.job,
        kind: 'sha256',
        sha256,
      }));
      answer(request.job, serving, port).catch(die);
    } else {
      inOrder = inOrder.then(() => answer(request.job, serveFollowed(request), port)).catch(die);
    }
  });
}

if (parentPort !== null) listen(parentPort);
