import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { signal } from '@preact/signals';
import type { SessionShape, SessionStateShape } from '../shapes.ts';
import { silence } from './lib/announce.ts';
import { callConsole, COOKIE_PATH, onSignedOut } from './lib/api.ts';

/** Who is signed in; null: nobody; undefined: not known yet. */
export const session = signal<SessionShape | null | undefined>(undefined);

/** Whether a session has ended by itself: it expired, its key has changed, or another tab has signed out. */
export const hasExpired = signal(false);

/** The file with the generated access key; only the gateway's own machine is told. */
export const credentialsFile = signal<string | undefined>(undefined);

/** Forget what the page knows of an account, before another one is shown or when it is signed out on purpose. */
export const forgetters = new Set<() => void>([silence]);

let owner: string | undefined;
/** Whether the person signs out: the event stream ends before the gateway answers. */
let isLeaving = false;

function show(next: SessionShape | null): void {
  const { id } = next?.account ?? {};
  if (owner !== undefined && id !== undefined && id !== owner) forget();
  owner = id ?? owner;
  if (next !== null) hasExpired.value = false;
  else if (session.peek() && !isLeaving) hasExpired.value = true;
  session.value = next;
}

function forget(): void {
  for (const each of forgetters) each();
}

onSignedOut.add(() => {
  show(null);
});

/** Asks who is signed in. */
export async function readSession(): Promise<void> {
  const answer = await callConsole<SessionStateShape>('session');
  credentialsFile.value = answer.credentialsFile;
  show(answer.session);
}

/**
 * Signs in. The secret makes one proof, and is then forgotten: it is neither sent nor stored.
 * @throws ApiError
 */
export async function signIn(id: string, secret: string): Promise<void> {
  const { challenge } = await callConsole<{ readonly challenge: string }>('challenge');
  const text = `ota-gateway console\n${id}\n${challenge}`;
  const proof = bytesToHex(hmac(sha256, utf8ToBytes(secret), utf8ToBytes(text)));
  const body = { id, challenge, proof, path: COOKIE_PATH };
  const answer = await callConsole<SessionStateShape>('session', { method: 'POST', body });
  show(answer.session);
}

/** Signs out, in all tabs. What this tab sends is stopped. */
export async function signOut(): Promise<void> {
  isLeaving = true;
  try {
    await callConsole<SessionStateShape>('session', {
      method: 'DELETE',
      body: { path: COOKIE_PATH },
    });
    forget();
    show(null);
  } finally {
    isLeaving = false;
  }
}
