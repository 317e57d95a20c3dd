import type { GrantShape } from '../../../operator/upload-shapes.ts';
import { AWAY, GATEWAY } from '../lib/api.ts';

/** What became of a form that was posted. */
export type FormOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'refused'; readonly refusal: FormRefusal }
  /** The connection was lost, before or after the file was stored. */
  | { readonly kind: 'unanswered' }
  | { readonly kind: 'stopped' };

/** A refused form, as OSS describes it. */
export interface FormRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string | undefined;
}

interface SendOptions {
  readonly signal: AbortSignal;
  /** Gets how many bytes of the form the browser has sent, and how many there are. */
  readonly onProgress: (sent: number, total: number) => void;
}

/** Posts a signed form with a file to the gateway: what any client of PostObject does. */
export function sendForm(
  { fields }: GrantShape,
  file: File,
  { onProgress, signal }: SendOptions,
): Promise<FormOutcome> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  // OSS ignores what follows the file.
  form.append('file', file);
  const request = new XMLHttpRequest();
  return new Promise((resolve) => {
    request.upload.onprogress = ({ loaded, total }) => {
      onProgress(loaded, total);
    };
    request.onload = () => {
      resolve(readOutcome(request.status, request.responseText));
    };
    request.onerror = () => {
      resolve({ kind: 'unanswered' });
    };
    request.onabort = () => {
      resolve({ kind: 'stopped' });
    };
    signal.addEventListener('abort', () => {
      request.abort();
    });
    // The page's own origin: the host of the grant may be another name of the gateway.
    request.open('POST', GATEWAY);
    request.send(form);
  });
}

function readOutcome(status: number, xml: string): FormOutcome {
  if (status < 300) return { kind: 'stored' };
  // The error of a proxy: the gateway has not answered.
  if (AWAY.has(status) && elementOf(xml, 'Code') === undefined) return { kind: 'unanswered' };
  return { kind: 'refused', refusal: readRefusal(status, xml) };
}

/** @param xml - the error of OSS */
function readRefusal(status: number, xml: string): FormRefusal {
  return {
    status,
    code: elementOf(xml, 'Code') ?? `HTTP ${String(status)}`,
    message: elementOf(xml, 'Message') ?? '',
    requestId: elementOf(xml, 'RequestId'),
  };
}

const CHARACTERS: Readonly<Record<string, string>> = {
  ...{ lt: '<', gt: '>', quot: '"' },
  ...{ apos: "'", amp: '&' },
};

function elementOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&(\w+);/g, (_all, entity: string) => CHARACTERS[entity] ?? '');
}

/** @returns whether another form may pass: this one was too old, or the gateway could not serve it now */
export function isPassing({ code, message, status }: FormRefusal): boolean {
  return (
    status >= 500 || status === 408 || code === 'RequestTimeout' || message.includes('expired')
  );
}
