import { computed, signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { PackageShape } from '../../../operator/package-shapes.ts';
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
import { findStored, sendOnce } from './attempt.ts';
import { isOpen } from './transfer.ts';
import type { Transfer, TransferState } from './transfer.ts';

/*
 * The uploads of this page. They are kept above the screens, so that they go on while another one is shown.
 */

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
  const { attempt, state } = transfer;
  const controller = new AbortController();
  transfer.stop = () => {
    controller.abort();
    state.value = { kind: 'stopped' };
  };
  try {
    let sent: Awaited<ReturnType<typeof sendOnce>>;
    attempt.value = 0;
    do {
      attempt.value += 1;
      sent = await sendOnce(transfer, controller.signal);
    } while (sent.mayRepeat && attempt.value < MAX_ATTEMPTS);
    state.value = sent.state;
  } catch (problem) {
    if (controller.signal.aborted) return;
    state.value = { kind: 'failed', message: toApiError(problem).message };
  }
  report(transfer);
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
