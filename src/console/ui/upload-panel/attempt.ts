import type { Page, RefusalShape } from '../../../operator/shapes.ts';
import type { GrantShape, UploadHistoryShape } from '../../../operator/upload-shapes.ts';
import { suffixOf } from '../../../policy/file-suffix.ts';
import { announce } from '../lib/announce.ts';
import { callApi, isUnreachable, uploadPath } from '../lib/api.ts';
import { t } from '../text/text.ts';
import { Rate } from './rate.ts';
import { isPassing, sendForm } from './send-form.ts';
import type { FormOutcome } from './send-form.ts';
import type { Transfer, TransferState } from './transfer.ts';

/** How often a gateway that does not answer is asked, in milliseconds. */
const ASK_AGAIN_MS = 1000;

/** What became of one form. */
interface Attempt {
  readonly state: TransferState;
  /** Whether a new form may do better. */
  readonly mayRepeat: boolean;
}

/**
 * Sends a file with a new form. While the gateway does not answer, it waits.
 * @throws ApiError, or that the signal has ended it
 */
export async function sendOnce(transfer: Transfer, signal: AbortSignal): Promise<Attempt> {
  const body = { suffix: suffixOf(transfer.file.name) };
  const grant = await ask(transfer, signal, () =>
    callApi<GrantShape>('grants', { method: 'POST', body, signal }),
  );
  const outcome = await send(transfer, grant, signal);
  signal.throwIfAborted();
  return ask(transfer, signal, () => findResult(outcome, grant));
}

/** Asks the gateway, again and again until it answers. */
async function ask<T>(
  { state }: Transfer,
  signal: AbortSignal,
  question: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      const answer = await question();
      signal.throwIfAborted();
      return answer;
    } catch (problem) {
      signal.throwIfAborted();
      if (!isUnreachable(problem)) throw problem;
    }
    if (state.value.kind !== 'interrupted') announce(t.value.uploadPanel.interrupted);
    state.value = { kind: 'interrupted' };
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    signal.throwIfAborted();
  }
}

function send(
  { file, state }: Transfer,
  grant: GrantShape,
  signal: AbortSignal,
): Promise<FormOutcome> {
  const rate = new Rate();
  state.value = {
    ...{ kind: 'sending', sent: 0, total: file.size },
    ...{ perSecond: undefined, left: undefined },
  };
  return sendForm(grant, file, {
    signal,
    onProgress: (sent, total) => {
      rate.add(performance.now(), sent);
      state.value =
        sent >= total
          ? { kind: 'finishing' }
          : { kind: 'sending', sent, total, perSecond: rate.perSecond, left: rate.left(total) };
    },
  });
}

async function findResult(outcome: FormOutcome, { key }: GrantShape): Promise<Attempt> {
  switch (outcome.kind) {
    case 'stored':
      return { state: await findStored(key), mayRepeat: false };
    case 'stopped':
      return { state: { kind: 'stopped' }, mayRepeat: false };
    case 'refused': {
      const { code, message, requestId, status } = outcome.refusal;
      return {
        state: { kind: 'failed', message: `${String(status)} ${code}: ${message}`, requestId },
        mayRepeat: isPassing(outcome.refusal),
      };
    }
    case 'unanswered': {
      // The answer may have been lost, and not the file.
      const found = (await findStored(key).catch(unlessUnreachable)) ?? (await findRefused(key));
      if (found !== undefined) return { state: found, mayRepeat: false };
      const message = t.value.uploadPanel.unanswered;
      return { state: { kind: 'failed', message }, mayRepeat: true };
    }
  }
}

function unlessUnreachable(problem: unknown): undefined {
  if (isUnreachable(problem)) throw problem;
}

/** A browser that still sends does not always read a refusal before the connection is closed. */
async function findRefused(key: string): Promise<TransferState | undefined> {
  const { items } = await callApi<Page<RefusalShape>>(
    `refusals?limit=1&key=${encodeURIComponent(key)}`,
  );
  const [found] = items;
  if (found === undefined || found.reason === 'incomplete') return undefined;
  const { code, message, requestId, status } = found;
  return { kind: 'failed', message: `${String(status)} ${code}: ${message}`, requestId };
}

/** @throws Error when the key has no file */
export async function findStored(key: string): Promise<TransferState> {
  const { uploads } = await callApi<UploadHistoryShape>(uploadPath(key));
  const [upload] = uploads;
  if (upload === undefined || upload.state === 'issued') throw new Error('it is not stored');
  return { kind: 'stored', upload };
}
