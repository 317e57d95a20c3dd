import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce } from '../lib/announce.ts';
import { inBackground } from '../lib/background.ts';
import { t } from '../text/text.ts';

interface CopyButtonProps {
  /** A function makes it when the button is pressed. */
  readonly text: string | (() => string);
  /** What is copied, for screen readers. */
  readonly label: string;
  /** What the button shows instead of the word for copying; says what is copied by itself. */
  readonly caption?: string;
}

/** Copies a text. */
export function CopyButton({ caption, label, text }: CopyButtonProps): JSX.Element {
  const isCopied = useSignal(false);
  const { copied, copy } = t.value.shell;
  const run = (): void => {
    inBackground(
      copyText(typeof text === 'string' ? text : text()).then((isDone) => {
        isCopied.value = isDone;
        if (isDone) announce(`${copied}: ${label}`);
      }),
    );
  };
  return (
    <button
      type="button"
      class={caption === undefined ? 'quiet' : undefined}
      aria-label={caption === undefined ? `${copy}: ${label}` : undefined}
      onClick={run}
    >
      {isCopied.value ? copied : (caption ?? copy)}
    </button>
  );
}

/** The clipboard of a browser needs a secure context; the selection of a field does not. */
async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // The person or the browser does not allow it.
    }
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'off-screen';
  document.body.append(field);
  field.select();
  // Deprecated, and the only way without a secure context.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const isDone = document.execCommand('copy');
  field.remove();
  return isDone;
}
