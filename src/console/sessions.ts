import type { IncomingMessage } from 'node:http';
import { isDisabled } from '../accounts/accounts.ts';
import type { AccountDirectory, Credential } from '../accounts/accounts.ts';
import type { Clock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import { sha256Hex } from '../signatures/digests.ts';
import { cookiesOf } from './cookies.ts';
import { ExpiringMap } from './expiring-map.ts';
import { formatToken, readToken } from './token.ts';

/** What sessions work with. */
export interface SessionDependencies {
  readonly accounts: AccountDirectory;
  readonly bucketKey: Pick<BucketKey, 'accessKeyId'>;
  /** The clock of the gateway, by which access keys are disabled. */
  readonly clock: Clock;
  /** The machine's clock, by which sessions end: a test that moves time signs nobody out. */
  readonly wallClock: Clock;
}

/** Who is signed in, and for how long. */
export interface Session extends Credential {
  /** Differs for each session. */
  readonly id: string;
  /** By the machine's clock, in Unix milliseconds. */
  readonly expiresAt: number;
}

/** How long a session lasts, in milliseconds. */
export const SESSION_MS = 8 * 3_600_000;

/**
 * Sessions of people who have signed in. Nothing is kept of them: the cookie itself is signed with the secret of the access
 * key, so that a session survives a restart, holds on every node, and ends with its key.
 */
export class Sessions {
  readonly #deps: SessionDependencies;
  /** Those that were signed out before they expired. */
  readonly #ended: ExpiringMap<true>;
  readonly #listeners = new Set<() => void>();

  constructor(deps: SessionDependencies) {
    this.#deps = deps;
    this.#ended = new ExpiringMap(deps.wallClock);
  }

  /** Differs for each bucket key: cookies of one host are sent to every port of it, also to other gateways. */
  get cookieName(): string {
    return `ota_${sha256Hex(this.#deps.bucketKey.accessKeyId).slice(0, 8)}`;
  }

  /** Begins a session. */
  open({ accessKey, account }: Credential): { readonly session: Session; readonly token: string } {
    const expiresAt = this.#deps.wallClock.now() + SESSION_MS;
    const content = { accessKeyId: accessKey.id, expiresAt, random: randomIds.locator() };
    return {
      session: { id: idOf(content), expiresAt, accessKey, account },
      token: formatToken(content, accessKey.secret),
    };
  }

  /**
   * @returns the session whose cookie a request has; undefined when it has none that is valid, or several. The page sets
   * one: a second one comes from another port or a neighbouring name, which may have set its own before ours.
   */
  find(request: Pick<IncomingMessage, 'headers'>): Session | undefined {
    const [session, ...others] = this.#allOf(request);
    return others.every(({ id }) => id === session?.id) ? session : undefined;
  }

  /** Ends every session whose cookie a request has. */
  endAll(request: Pick<IncomingMessage, 'headers'>): void {
    for (const session of this.#allOf(request)) this.end(session);
  }

  /** Ends a session before it expires. */
  end({ expiresAt, id }: Pick<Session, 'id' | 'expiresAt'>): void {
    this.#ended.set(id, true, expiresAt);
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Calls back when a session was signed out.
   * @returns a function that ends it
   */
  onEnded(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Whether a session has neither expired nor was signed out. */
  isOpen({ expiresAt, id }: Pick<Session, 'id' | 'expiresAt'>): boolean {
    return this.#deps.wallClock.now() < expiresAt && this.#ended.get(id) === undefined;
  }

  #allOf(request: Pick<IncomingMessage, 'headers'>): Session[] {
    return cookiesOf(request, this.cookieName).flatMap((text) => this.#read(text) ?? []);
  }

  #read(text: string): Session | undefined {
    const token = readToken(text, (id) => this.#findUsable(id)?.accessKey.secret);
    const credential = token && this.#findUsable(token.accessKeyId);
    if (token === undefined || credential === undefined) return undefined;
    const session = { ...credential, id: idOf(token), expiresAt: token.expiresAt };
    return this.isOpen(session) ? session : undefined;
  }

  #findUsable(accessKeyId: string): Credential | undefined {
    const { accounts, clock } = this.#deps;
    const credential = accounts.find(accessKeyId);
    if (credential === undefined) return undefined;
    const { accessKey } = credential;
    const mayUse = accessKey.securityToken === undefined && !isDisabled(accessKey, clock.now());
    return mayUse ? credential : undefined;
  }
}

/** With the access key, so that the session of another key cannot have the same id. */
function idOf({ accessKeyId, random }: { accessKeyId: string; random: string }): string {
  return `${accessKeyId}.${random}`;
}
