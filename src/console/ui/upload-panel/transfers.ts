import { computed, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { PackageShape } from '../../../operator/package-shapes.ts';
import type { Page, RefusalShape } from '../../../operator/shapes.ts';
import type {
  GrantShape,
  UploadHistoryShape,
  UploadShape,
} from '../../../operator/upload-shapes.ts';
import { suffixOf } from '../../../policy/file-suffix.ts';
import { announce } from '../lib/announce.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { formatBytes } from '../lib/format.ts';
import { onChange, onMissed } from '../lib/live.ts';
import { language } from '../lib/preferences.ts';
import { toApiError } from '../lib/resource.ts';
import { overview } from '../overview.ts';
import { forgetters } from '../session.ts';
import { t } from '../text/text.ts';
import { Rate } from './rate.ts';
import { isPassing, sendForm } from './send-form.ts';
import type { FormOutcome } from './send-form.ts';

/*
 * The uploads of this page. They are kept above the screens, so that they go on while another one is shown.
 */

/** How far an upload of this page is. */
export type TransferState =
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'sending';
      readonly sent: number;
      readonly total: number;
      readonly perSecond: number | undefined;
      /** In milliseconds. */
      readonly left: number | undefined;
    }
  /** All bytes are sent; the gateway makes them durable. */
  | { readonly kind: 'finishing' }
  | { readonly kind: 'stored'; readonly upload: UploadShape }
  | { readonly kind: 'failed'; readonly message: string; readonly requestId?: string | undefined }
  | { readonly kind: 'stopped' };

/** A file on its way. */
export interface Transfer {
  readonly id: number;
  readonly file: File;
  readonly state: Signal<TransferState>;
  /** Which form it is sent with, from 1. */
  readonly attempt: Signal<number>;
  stop: () => void;
}

/** What becomes of a batch of files once all are stored. */
export interface ClaimWish {
  readonly name: string;
  readonly version: string;
}

/** Files that were chosen at once. */
export interface Batch {
  readonly id: number;
  readonly transfers: readonly Transfer[];
  readonly wish: ClaimWish | undefined;
  readonly claim: Signal<
    | { readonly kind: 'none' }
    | { readonly kind: 'claimed'; readonly made: PackageShape }
    | { readonly kind: 'failed'; readonly message: string }
  >;
}

const MAX_ATTEMPTS = 3;
const MAX_AT_ONCE = 2;

/** The newest first. */
export const batches = signal<readonly Batch[]>([]);

/** Whether bytes are on their way, or wait to be. */
export const isMoving = computed(() =>
  batches.value.some(({ transfers }) => transfers.some(({ state }) => isOpen(state.value))),
);

let nextId = 1;
let running = 0;
const queue: (() => Promise<void>)[] = [];

function isOpen({ kind }: TransferState): boolean {
  return kind === 'waiting' || kind === 'sending' || kind === 'finishing';
}

/** @returns why a file cannot be uploaded at all; undefined when it can */
function problemOf({ size }: File): string | undefined {
  const texts = t.value.uploadPanel;
  if (size === 0) return texts.isEmpty;
  const largest = overview.value.peek()?.limits.maxUpload ?? Infinity;
  if (size <= largest) return undefined;
  return texts.isTooLarge(formatBytes(size, language.value), formatBytes(largest, language.value));
}

/** Begins to upload files, two at a time. @param wish - claims them together once all are stored */
export function addFiles(files: readonly File[], wish: ClaimWish | undefined): void {
  const batch: Batch = {
    id: nextId++,
    transfers: files.map(createTransfer),
    wish,
    claim: signal({ kind: 'none' }),
  };
  batches.value = [batch, ...batches.value];
  for (const transfer of batch.transfers) enqueue(transfer, batch);
}

/** Sends a file again that was stopped or refused. */
export function retry(transfer: Transfer, batch: Batch): void {
  transfer.state.value = { kind: 'waiting' };
  enqueue(transfer, batch);
}

/** Takes the batches off the page whose uploads have ended. */
export function clearEnded(): void {
  batches.value = batches.value.filter(({ transfers }) =>
    transfers.some(({ state }) => isOpen(state.value)),
  );
}

function createTransfer(file: File): Transfer {
  const problem = problemOf(file);
  const state = signal<TransferState>(
    problem === undefined ? { kind: 'waiting' } : { kind: 'failed', message: problem },
  );
  return {
    ...{ id: nextId++, file, state, attempt: signal(1) },
    stop: () => {
      state.value = { kind: 'stopped' };
    },
  };
}

function enqueue(transfer: Transfer, batch: Batch): void {
  queue.push(async () => {
    if (transfer.state.value.kind !== 'waiting') return;
    await run(transfer);
    await claimWhenStored(batch);
  });
  startNext();
}

function startNext(): void {
  if (running >= MAX_AT_ONCE) return;
  const job = queue.shift();
  if (job === undefined) return;
  running += 1;
  inBackground(
    job().finally(() => {
      running -= 1;
      startNext();
    }),
  );
  startNext();
}

async function run(transfer: Transfer): Promise<void> {
  const { attempt, file, state } = transfer;
  const controller = new AbortController();
  const isStopped = (): boolean => controller.signal.aborted;
  transfer.stop = () => {
    controller.abort();
    state.value = { kind: 'stopped' };
  };
  for (attempt.value = 1; attempt.value <= MAX_ATTEMPTS; attempt.value += 1) {
    try {
      const body = { suffix: suffixOf(file.name) };
      const grant = await callApi<GrantShape>('grants', { method: 'POST', body });
      if (isStopped()) return;
      const outcome = await send(transfer, grant, controller.signal);
      if (isStopped()) return;
      const next = await settle(outcome, grant);
      if (next === 'again' && attempt.value < MAX_ATTEMPTS) continue;
      state.value = next === 'again' ? describeOutcome(outcome) : next;
    } catch (problem) {
      state.value = { kind: 'failed', message: toApiError(problem).message };
    }
    report(transfer);
    return;
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

/** @returns the state of the upload, or that it has to be sent again with a new form */
async function settle(outcome: FormOutcome, { key }: GrantShape): Promise<TransferState | 'again'> {
  switch (outcome.kind) {
    case 'stored':
      return findStored(key);
    case 'stopped':
      return { kind: 'stopped' };
    case 'refused':
      return isPassing(outcome.refusal) ? 'again' : describeOutcome(outcome);
    case 'unanswered':
      // The answer may have been lost, and not the file.
      return (await findStored(key).catch(() => undefined)) ?? (await findRefused(key)) ?? 'again';
  }
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

async function findStored(key: string): Promise<TransferState> {
  const { uploads } = await callApi<UploadHistoryShape>(`uploads/${encodeURIComponent(key)}`);
  const [upload] = uploads;
  if (upload === undefined || upload.state === 'issued') throw new Error('it is not stored');
  return { kind: 'stored', upload };
}

function describeOutcome(outcome: FormOutcome): TransferState {
  if (outcome.kind !== 'refused') {
    return { kind: 'failed', message: t.value.uploadPanel.unanswered };
  }
  const { code, message, requestId, status } = outcome.refusal;
  return { kind: 'failed', message: `${String(status)} ${code}: ${message}`, requestId };
}

function report({ file, state }: Transfer): void {
  const texts = t.value.uploadPanel;
  if (state.value.kind === 'stored') announce(texts.isStored(file.name));
}

async function claimWhenStored({ claim, transfers, wish }: Batch): Promise<void> {
  if (wish === undefined || claim.value.kind === 'claimed') return;
  const keys = transfers.flatMap(({ state: { value } }) =>
    value.kind === 'stored' ? [value.upload.key] : [],
  );
  if (keys.length < transfers.length) return;
  try {
    const body = { ...wish, keys };
    const made = await callApi<PackageShape>('packages', { method: 'POST', body });
    claim.value = { kind: 'claimed', made };
    announce(t.value.uploadPanel.isClaimed(made.name, made.version));
  } catch (problem) {
    claim.value = { kind: 'failed', message: toApiError(problem).message };
  }
}

/** Shows what becomes of the uploads of this page. @returns a function that ends it */
export function followUploads(): () => void {
  const readAgain = (): void => {
    for (const [key, state] of storedHere()) {
      inBackground(
        findStored(key).then((found) => {
          state.value = found;
        }),
      );
    }
  };
  const endings = [
    onMissed(readAgain),
    onChange((change) => {
      if (change.type !== 'upload') return;
      for (const [key, state] of storedHere()) {
        if (key === change.data.key) state.value = { kind: 'stored', upload: change.data };
      }
    }),
  ];
  return () => {
    for (const end of endings) end();
  };
}

function storedHere(): (readonly [key: string, state: Signal<TransferState>])[] {
  return batches.peek().flatMap(({ transfers }) =>
    transfers.flatMap(({ state }) => {
      const present = state.peek();
      return present.kind === 'stored' ? [[present.upload.key, state] as const] : [];
    }),
  );
}

forgetters.add(() => {
  for (const { transfers } of batches.peek()) for (const { stop } of transfers) stop();
  batches.value = [];
});

addEventListener('beforeunload', (event) => {
  if (isMoving.peek()) event.preventDefault();
});
