import { once } from 'node:events';
import type { Socket } from 'node:net';
import { onClose } from '../http/on-close.ts';
import type { UploadSnapshot } from '../uploads/snapshot.ts';
import type { UploadEvents } from '../uploads/upload-events.ts';
import { BadControl } from './responses.ts';

/** States that a client can wait for. `stored` is reached by every upload that has, or had, a file. */
export type AwaitedState = 'stored' | 'claimed' | 'purged';

/** How many clients can wait at the same time. */
const MAX_WAITS = 100;

/** Lets clients wait for the states of uploads. */
export class UploadWaits {
  readonly #events: UploadEvents;
  readonly #find: (key: string) => Promise<UploadSnapshot | undefined>;
  readonly #stopping = new AbortController();
  #waiting = 0;

  /** @param find - returns the upload of a key as a snapshot shows it */
  constructor(events: UploadEvents, find: (key: string) => Promise<UploadSnapshot | undefined>) {
    this.#events = events;
    this.#find = find;
  }

  /** @returns the upload of a key as a snapshot shows it */
  find(key: string): Promise<UploadSnapshot | undefined> {
    return this.#find(key);
  }

  /**
   * Waits until an upload reaches a state. The wait ends early when the client closes its side of the connection.
   * @param timeout - in milliseconds of real time
   * @throws BadControl when the time is over (409), too many clients wait (429), or the gateway stops (503)
   */
  async wait(
    key: string,
    wanted: AwaitedState,
    { socket, timeout }: { readonly socket: Socket; readonly timeout: number },
  ): Promise<UploadSnapshot> {
    if (this.#waiting >= MAX_WAITS) {
      throw new BadControl(`${String(MAX_WAITS)} requests wait already; try again`, 429);
    }
    this.#waiting += 1;
    const gone = new AbortController();
    const leave = (): void => {
      gone.abort();
    };
    const forgetSocket = onClose(socket, leave);
    // The listener keeps connections open whose client has ended its side, also those of a client that is gone.
    socket.once('end', leave);
    try {
      const signals = [AbortSignal.timeout(timeout), gone.signal, this.#stopping.signal];
      const found = await this.#reach(key, wanted, AbortSignal.any(signals));
      if (isReached(found, wanted)) return found;
      if (this.#stopping.signal.aborted) throw new BadControl('the gateway stops', 503);
      throw new BadControl(explainTimeout(found, wanted, timeout), 409);
    } finally {
      forgetSocket();
      socket.off('end', leave);
      this.#waiting -= 1;
    }
  }

  /** @returns the upload, once it has reached the state or the wait is over */
  async #reach(
    key: string,
    wanted: AwaitedState,
    over: AbortSignal,
  ): Promise<UploadSnapshot | undefined> {
    const changes = new EventTarget();
    const forget = this.#events.on(key, () => changes.dispatchEvent(new Event('change')));
    const isOver = over.aborted ? undefined : once(over, 'abort');
    try {
      for (;;) {
        const changed = once(changes, 'change');
        const found = await this.#find(key);
        if (isReached(found, wanted) || over.aborted) return found;
        await Promise.race([changed, isOver]);
      }
    } finally {
      forget();
    }
  }

  /** Ends all waits, and lets later ones end at once: the gateway stops. */
  end(): void {
    this.#stopping.abort();
  }
}

function isReached(
  found: UploadSnapshot | undefined,
  wanted: AwaitedState,
): found is UploadSnapshot {
  if (found === undefined) return false;
  return wanted === 'stored' ? found.state !== 'issued' : found.state === wanted;
}

function explainTimeout(
  found: UploadSnapshot | undefined,
  wanted: AwaitedState,
  timeout: number,
): string {
  const seconds = String(timeout / 1000);
  const is = found === undefined ? 'there is no such upload' : `the upload is ${found.state}`;
  return `${is}, and was not ${wanted} within ${seconds} seconds`;
}
