import { signal } from '@preact/signals';
import type { PackageShape } from '../../../operator/package-shapes.ts';
import type { RefusalShape } from '../../../operator/shapes.ts';
import type { UploadShape } from '../../../operator/upload-shapes.ts';
import type { UsageShape } from '../../../operator/usage-shapes.ts';
import { apiUrl } from './api.ts';

/** Whether changes arrive: `paused` while the tab is hidden, `moved` when another tab has taken the place of this one. */
export type LiveState = 'connecting' | 'live' | 'paused' | 'lost' | 'moved';

/** Something that has changed, as it is now. */
export type Change =
  | { readonly type: 'upload'; readonly data: UploadShape }
  | { readonly type: 'package'; readonly data: PackageShape & { readonly deleted?: boolean } }
  | { readonly type: 'refusal'; readonly data: RefusalShape }
  | { readonly type: 'usage'; readonly data: UsageShape };

export type LiveType = Change['type'];
const TYPES: readonly LiveType[] = ['upload', 'package', 'refusal', 'usage'];

export const liveState = signal<LiveState>('connecting');

/** How long a hidden tab stays connected: a browser has only six connections for all tabs of a host. */
const HIDDEN_MS = 5000;
/** After a closed stream, in milliseconds. */
const RETRY_MS = 2000;

type Listener = (change: Change) => void;

const listeners = new Set<Listener>();
const readers = new Set<() => void>();

/**
 * Calls back for each change.
 * @returns a function that ends it
 */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/**
 * Calls back when changes may have been missed, and everything has to be read again.
 * @returns a function that ends it
 */
export function onMissed(reader: () => void): () => void {
  readers.add(reader);
  return () => {
    readers.delete(reader);
  };
}

function missed(): void {
  for (const reader of readers) reader();
}

/**
 * Stays connected while the tab is shown.
 * @param onClosed - is called when the gateway has ended the stream: the session may have ended
 * @returns a function that ends it
 */
export function goLive(onClosed: () => void): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  let isFirst = true;

  const close = (): void => {
    source?.close();
    source = undefined;
  };
  const open = (): void => {
    close();
    liveState.value = 'connecting';
    const opened = new EventSource(apiUrl(`events?fold=on&types=${[...TYPES, 'lost'].join(',')}`));
    source = opened;
    opened.onopen = () => {
      liveState.value = 'live';
      if (!isFirst) missed();
      isFirst = false;
    };
    opened.onerror = () => {
      if (source !== opened) return;
      liveState.value = 'lost';
      // Else the browser connects again by itself.
      if (opened.readyState !== EventSource.CLOSED) return;
      close();
      onClosed();
      timer = window.setTimeout(open, RETRY_MS);
    };
    opened.addEventListener('moved', () => {
      close();
      liveState.value = 'moved';
    });
    opened.addEventListener('lost', missed);
    for (const type of TYPES) {
      opened.addEventListener(type, ({ data }: MessageEvent<string>) => {
        // The gateway that serves this page makes it by the shapes of src/operator.
        // eslint-disable-next-line @typescript-eslint/consistent-type-assertions
        const change = { type, data: JSON.parse(data) as unknown } as Change;
        for (const listener of listeners) listener(change);
      });
    }
  };
  const onVisibility = (): void => {
    window.clearTimeout(timer);
    if (document.hidden) {
      timer = window.setTimeout(() => {
        close();
        liveState.value = 'paused';
      }, HIDDEN_MS);
    } else if (source === undefined) {
      open();
    }
  };
  document.addEventListener('visibilitychange', onVisibility);
  if (document.hidden) liveState.value = 'paused';
  else open();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    window.clearTimeout(timer);
    close();
  };
}

/** Reads something again now, when changes were missed, and when one of the types has changed, at most once a second. */
export function keepFresh(types: readonly LiveType[], read: () => void): () => void {
  let timer: number | undefined;
  let isWanted = false;
  const soon = (): void => {
    isWanted = true;
    timer ??= window.setTimeout(run, 150);
  };
  const run = (): void => {
    timer = undefined;
    if (!isWanted) return;
    isWanted = false;
    read();
    timer = window.setTimeout(run, 1000);
  };
  const endings = [
    onMissed(soon),
    onChange(({ type }) => {
      if (types.includes(type)) soon();
    }),
  ];
  read();
  return () => {
    window.clearTimeout(timer);
    for (const end of endings) end();
  };
}
