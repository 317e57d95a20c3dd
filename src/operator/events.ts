import type { Clock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import { OperatorError } from './errors.ts';
import { seesAccount } from './viewer.ts';
import type { Viewer } from './viewer.ts';

/** The types of events. `lost`: events before this one are gone, so lists have to be read again. */
export const EVENT_TYPES = ['upload', 'package', 'usage', 'request', 'refusal', 'lost'] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** Something that has happened, for those who watch. */
export interface GatewayEvent {
  /** Of this process; a later event has another one. */
  readonly id: string;
  readonly type: EventType;
  /** @returns the data as JSON; the text is made once for all listeners */
  readonly json: () => string;
}

interface KeptEvent extends GatewayEvent {
  readonly sequence: number;
  /** Undefined: only operators see it. */
  readonly accountId: string | undefined;
}

/** Who listens, and to what. */
export interface Subscription {
  readonly viewer: Viewer;
  /** Absent: all types. */
  readonly types?: readonly EventType[] | undefined;
  /** The id of the last event that an earlier connection has received; the kept ones after it come first. */
  readonly lastEventId?: string | undefined;
  readonly onEvent: (event: GatewayEvent) => void;
  /** Is called when the gateway stops. */
  readonly onEnd: () => void;
}

/** How many may listen at the same time. */
export const MAX_LISTENERS = 32;
/** How many of one account may; that of an operator has no such limit. */
export const MAX_OF_ACCOUNT = 8;
/** How many places accounts that are no operator leave free. */
const RESERVED = 8;
/** How many events are kept for listeners that come back. */
const MAX_KEPT = 1000;
/** What a listener gets at once when it comes back, in characters; after more, it has to read the lists again. */
const MAX_REPLAY = 128 * 1024;
/** How long events are kept, and made, after the last listener has gone: it may come back. In milliseconds. */
const COMEBACK_MS = 60_000;

/**
 * Passes events to those who watch. Without watchers, and a minute after the last one, an event costs one comparison: it is
 * neither made nor kept.
 */
export class EventHub {
  readonly #clock: Clock;
  /** Distinguishes the ids of this process from those of an earlier one. */
  readonly #run = randomIds.locator().slice(0, 8);
  readonly #listeners = new Set<Subscription>();
  #kept: KeptEvent[] = [];
  #sequence = 0;
  #watchedUntil = -Infinity;
  #isClosed = false;

  /** @param clock - measures real time */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether events are needed. Ask before you make the data of one. */
  get isWatched(): boolean {
    if (this.#listeners.size > 0) return true;
    if (this.#watchedUntil === -Infinity) return false;
    if (this.#clock.now() < this.#watchedUntil) return true;
    this.#watchedUntil = -Infinity;
    this.#kept = [];
    // Stands for the events that are not made from now on.
    this.#sequence += 1;
    return false;
  }

  /**
   * Passes an event to those who see the account.
   * @param data - plain JSON
   * @param accountId - whose event it is; undefined: it is for operators only
   */
  publish(type: EventType, data: object, accountId?: string): void {
    if (!this.isWatched) return;
    this.#sequence += 1;
    const event = this.#make(type, data, accountId);
    this.#kept.push(event);
    // Cut rarely, because that moves all of them.
    if (this.#kept.length >= 2 * MAX_KEPT) this.#kept = this.#kept.slice(-MAX_KEPT);
    for (const listener of this.#listeners) {
      if (isFor(listener, event)) listener.onEvent(event);
    }
  }

  /**
   * Starts to pass events, first those that the listener has missed.
   * @returns a function that ends it
   * @throws OperatorError when too many listen already, or the gateway stops
   */
  listen(subscription: Subscription): () => void {
    if (this.#isClosed) throw new OperatorError('unavailable', 'Stopping', 'the gateway stops');
    this.#requirePlace(subscription.viewer);
    const missed = this.#missedBy(subscription);
    this.#listeners.add(subscription);
    for (const event of missed) subscription.onEvent(event);
    return () => {
      if (this.#listeners.delete(subscription))
        this.#watchedUntil = this.#clock.now() + COMEBACK_MS;
    };
  }

  /** Ends all listeners, and refuses later ones: the gateway stops. */
  close(): void {
    this.#isClosed = true;
    for (const { onEnd } of this.#listeners) onEnd();
    this.#listeners.clear();
    this.#watchedUntil = -Infinity;
    this.#kept = [];
  }

  /** @throws OperatorError when too many listen already */
  #requirePlace({ accountId, isOperator }: Viewer): void {
    const others = [...this.#listeners].filter(({ viewer }) => !viewer.isOperator);
    const own = others.filter(({ viewer }) => viewer.accountId === accountId).length;
    const refuse = (count: number, who: string): void => {
      const message = `${String(count)} clients ${who} already`;
      throw new OperatorError('tooMany', 'TooManyListeners', message, 'close one of them');
    };
    if (this.#listeners.size >= MAX_LISTENERS) refuse(MAX_LISTENERS, 'listen');
    if (isOperator) return;
    if (own >= MAX_OF_ACCOUNT) refuse(own, `of the account ${accountId} listen`);
    if (others.length >= MAX_LISTENERS - RESERVED) refuse(others.length, 'of accounts listen');
  }

  /** @returns the events that a listener has missed, of those that it sees and wants */
  #missedBy(subscription: Subscription): readonly KeptEvent[] {
    const { lastEventId } = subscription;
    if (lastEventId === undefined) return [];
    const kept = this.isWatched ? this.#kept : [];
    const [run, digits = ''] = lastEventId.split('-');
    const last = run === this.#run && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
    const oldest = kept[0]?.sequence ?? this.#sequence + 1;
    if (last !== undefined && last >= oldest - 1) {
      const missed = kept.filter((event) => event.sequence > last && isFor(subscription, event));
      const size = missed.reduce((sum, { json }) => sum + json().length, 0);
      if (size <= MAX_REPLAY) return missed;
    }
    return [this.#make('lost', {}, undefined)];
  }

  #make(type: EventType, data: object, accountId: string | undefined): KeptEvent {
    let text: string | undefined;
    const sequence = this.#sequence;
    const id = `${this.#run}-${String(sequence)}`;
    return { id, sequence, type, accountId, json: () => (text ??= JSON.stringify(data)) };
  }
}

function isFor({ types, viewer }: Subscription, { accountId, type }: KeptEvent): boolean {
  const isWanted = types === undefined || types.includes(type);
  return isWanted && seesAccount(viewer, accountId);
}
