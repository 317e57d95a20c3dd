import { createReadStream } from 'node:fs';
import { generateOTAUploadURL } from '../client/api-client.ts';
import type { ApiClientOptions, ApiParameters, UploadGrant } from '../client/api-client.ts';
import type { PostResponse } from '../client/post-object.ts';
import { formFields, postObject } from '../client/post-object.ts';
import { quoted } from '../lib/quoted.ts';
import { setTimeout } from '../lib/timers.ts';
import { reachAnswering } from './answering.ts';
import { CommandError, describeError, errorText } from './command-error.ts';
import { say } from './output.ts';
import { progressBar } from './progress-bar.ts';
import type { LocalFile } from './upload-plan.ts';
import { describeRefusal } from './upload-refusal.ts';

const TRIES = 3;
const FIRST_PAUSE_MS = 500;
const READ_BYTES = 256 * 1024;

/** How to send a file. */
export interface SendOptions {
  /** Parameters of GenerateOTAUploadURL, beside the suffix. */
  readonly parameters: ApiParameters;
  /** Shows no progress. */
  readonly isQuiet: boolean;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/**
 * Signs a form and posts a file with it. After a failure of the network or of the server it tries again, each time with
 * a new form, since a form is valid for a minute.
 * @throws CommandError when the gateway refuses the file, or at the last failure; any error once it was stopped
 */
export async function sendFile(
  api: ApiClientOptions,
  file: LocalFile,
  { isQuiet, parameters, signal }: SendOptions,
): Promise<UploadGrant> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    const grant = await generateOTAUploadURL(api, { FileSuffix: file.suffix, ...parameters });
    const failure = await post(grant, file, { isQuiet, signal });
    if (failure === undefined) return grant;
    if (!failure.isPassing || attempt === TRIES || signal.aborted) throw failure.error;
    const count = `try ${String(attempt + 1)} of ${String(TRIES)}`;
    const reason = errorText(describeError(failure.error));
    if (!isQuiet) say(`${quoted(file.name)}: ${reason}; ${count}, with a new form`);
    await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * attempt));
  }
}

interface Failure {
  readonly error: unknown;
  /** Whether another try may succeed. */
  readonly isPassing: boolean;
}

async function post(
  grant: UploadGrant,
  { name, path, size }: LocalFile,
  { isQuiet, signal }: Pick<SendOptions, 'isQuiet' | 'signal'>,
): Promise<Failure | undefined> {
  const bar = isQuiet ? undefined : progressBar(process.stderr, quoted(name), size);
  const bytes = createReadStream(path, { highWaterMark: READ_BYTES });
  const stop = (): void => {
    bytes.destroy(new Error('stopped'));
  };
  signal.addEventListener('abort', stop);
  let response: PostResponse;
  try {
    const source = { name, size, bytes };
    response = await reachAnswering(grant.host, (watched) => {
      const onProgress = (sent: number): void => {
        watched.onProgress();
        bar?.update(sent);
      };
      const options = { onProgress, signal: watched.signal };
      return postObject(grant.host, formFields(grant), source, options);
    });
  } catch (error) {
    return { error, isPassing: true };
  } finally {
    bar?.end();
    signal.removeEventListener('abort', stop);
    bytes.destroy();
  }
  if (response.status === 200) return undefined;
  const error = new CommandError('UploadRefused', describeRefusal(response));
  return { error, isPassing: isPassing(response) };
}

/** A form that expired on the way is replaced, too. */
function isPassing({ body, status }: PostResponse): boolean {
  return status >= 500 || status === 408 || body.includes('Policy expired');
}
