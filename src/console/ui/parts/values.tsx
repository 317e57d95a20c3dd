import type { JSX } from 'preact';
import type { UploadShape } from '../../../operator/upload-shapes.ts';
import { gatewayClock } from '../lib/clock.ts';
import { formatAgo, formatBytes, formatTime } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { t } from '../text/text.ts';

/** A size with its exact number of bytes as a title. */
export function Bytes({ value }: { readonly value: number }): JSX.Element {
  return (
    <span class="number" title={`${String(value)} B`}>
      {formatBytes(value, language.value)}
    </span>
  );
}

/** A time of the gateway, exactly. */
export function Time({ iso }: { readonly iso: string }): JSX.Element {
  return (
    <time dateTime={iso} title={iso}>
      {formatTime(iso, language.value)}
    </time>
  );
}

/** How long ago something was, by the clock of the gateway. */
export function Ago({ iso }: { readonly iso: string }): JSX.Element {
  return (
    <time class="nowrap" dateTime={iso} title={formatTime(iso, language.value)}>
      {formatAgo(gatewayClock.now - Date.parse(iso), language.value)}
    </time>
  );
}

const SHAPES: Readonly<Record<UploadShape['state'], string>> = {
  issued: '○',
  stored: '◐',
  claimed: '●',
  purging: '◌',
  purged: '✕',
};

/** The state of an upload, by a word and a shape, so that color is never needed. */
export function State({ state }: { readonly state: UploadShape['state'] }): JSX.Element {
  return (
    <span class={`state state-${state}`}>
      <span aria-hidden="true">{SHAPES[state]}</span> {t.value.shell.states[state]}
    </span>
  );
}
