import type { Clock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import { BurstFold, MAX_IN_WINDOW } from './burst-fold.ts';
import { OperatorError } from './errors.ts';
import { seesAccount } from './viewer.ts';
import type { Viewer } from './viewer.ts';

/**
 * The types of events. Each listener gets the last two, whatever it wants. `lost`: events before this one are gone, so
 * lists have to be read again. `moved`: another listener has its place, so it must not come back by itself.
 */
export const EVENT_TYPES = [
  'upload',
  'package',
  'usage',
  'request',
  'refusal',
  'lost',
  'moved',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** Something that has happened, for those who watch. */
export interface GatewayEvent {
  /** Of this process; a later event has another one. */
  readonly id: string;
  readonly type: EventType;
  /** @returns the data as JSON; the text is made once for all listeners */
  json(): string;
}

/** An event whose texts are made when someone gets it, which most events of a burst never do. */
class KeptEvent implements GatewayEvent {
  readonly sequence: number;
  readonly type: EventType;
  /** Undefined: only operators see it. */
  readonly accountId: string | undefined;
  readonly #run: string;
  readonly #make: () => object;
  #json: string | undefined;

  /** @param run - distinguishes the ids of one process from those of another */
  constructor(
    run: string,
    sequence: number,
    type: EventType,
    make: () => object,
    accountId: string | undefined,
  ) {
    this.sequence = sequence;
    this.type = type;
    this.accountId = accountId;
    this.#run = run;
    this.#make = make;
  }

  get id(): string {
    return `${this.#run}-${String(this.sequence)}`;
  }

  json(): string {
    return (this.#json ??= JSON.stringify(this.#make()));
  }
}

/** Who listens, and to what. */
export interface Subscription {
  readonly viewer: Viewer;
  /** Absent: all types. */
  readonly types?: readonly EventType[] | undefined;
  /** The id of the last event that an earlier connection has received; the kept ones after it come first. */
  readonly lastEventId?: string | undefined;
  /** Whether many events within a short time become one `lost`. */
  readonly fold?: boolean | undefined;
  /** Those of one group have few places; one more ends the oldest. Absent: it is of no group. */
  readonly group?: string | undefined;
  readonly onEvent: (event: GatewayEvent) => void;
  /** Is called when the gateway ends it: the gateway stops, or another listener of its group has its place. */
  readonly onEnd: () => void;
}

interface Listener {
  readonly subscription: Subscription;
  /** Undefined: everything passes. */
  readonly fold: BurstFold<GatewayEvent> | undefined;
}

/** How many may listen at the same time. */
export const MAX_LISTENERS = 200;
/** How many of one account may; that of an operator has no such limit. */
export const MAX_OF_ACCOUNT = 32;
/** How many of one group may. */
export const MAX_OF_GROUP = 4;
/** How many places accounts that are no operator leave free. */
export const RESERVED = 40;
/** How many events are kept for listeners that come back. */
export const MAX_KEPT = 1000;
/**
 * Bytes that a listener gets at once when it comes back, less than what may wait for it. After more, it has to read the
 * lists again.
 */
export const MAX_REPLAY = 48 * 1024;
/** What an event takes beside its JSON: its id, its type and the frame of its chunk. */
const EVENT_LINES = 72;
/** How long events are kept, and made, after the last listener has gone: it may come back. In milliseconds. */
const COMEBACK_MS = 60_000;

/**
 * Passes events to those who watch. Events of a type that nobody wants are neither made nor kept: they cost one comparison.
 * So are all events a minute after the last watcher has gone.
 */
export class EventHub {
  readonly #clock: Clock;
  /** Distinguishes the ids of this process from those of an earlier one. */
  readonly #run = randomIds.locator().slice(0, 8);
  /** The oldest first. */
  readonly #listeners = new Set<Listener>();
  #kept: KeptEvent[] = [];
  /** The types that are made and kept: what someone has wanted since it is watched. */
  readonly #wanted = new Set<EventType>();
  #sequence = 0;
  #watchedUntil = -Infinity;
  #isClosed = false;

  /** @param clock - measures real time */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether events of a type are needed. Ask before you make the data of one. */
  wants(type: EventType): boolean {
    return this.#isWatched && this.#wanted.has(type);
  }

  get #isWatched(): boolean {
    if (this.#listeners.size > 0) return true;
    if (this.#watchedUntil === -Infinity) return false;
    if (this.#clock.now() < this.#watchedUntil) return true;
    this.#watchedUntil = -Infinity;
    this.#kept = [];
    this.#wanted.clear();
    // Stands for the events that are not made from now on.
    this.#sequence += 1;
    return false;
  }

  /**
   * Passes an event to those who see the account.
   * @param make - returns plain JSON; is called only when a listener gets the event, which most of a burst never do
   * @param accountId - whose event it is; undefined: it is for operators only
   */
  publish(type: EventType, make: () => object, accountId?: string): void {
    if (!this.wants(type)) return;
    this.#sequence += 1;
    const event = this.#make(type, make, accountId);
    this.#kept.push(event);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    for (const listener of this.#listeners) {
      if (isFor(listener.subscription, event)) pass(listener, event);
    }
  }

  /**
   * Starts to pass events, first those that the listener has missed.
   * @returns a function that ends it
   * @throws OperatorError when too many listen already, or the gateway stops
   */
  listen(subscription: Subscription): () => void {
    if (this.#isClosed) throw new OperatorError('unavailable', 'Stopping', 'the gateway stops');
    const replaced = this.#findReplaced(subscription);
    this.#requirePlace(subscription.viewer, replaced);
    if (replaced !== undefined) this.#replace(replaced);
    const missed = this.#missedBy(subscription);
    for (const type of typesOf(subscription)) this.#wanted.add(type);
    const listener = createListener(subscription);
    this.#listeners.add(listener);
    for (const event of missed) pass(listener, event);
    return () => {
      listener.fold?.drop();
      if (this.#listeners.delete(listener)) this.#watchedUntil = this.#clock.now() + COMEBACK_MS;
    };
  }

  /** Ends all listeners, and refuses later ones: the gateway stops. */
  close(): void {
    this.#isClosed = true;
    for (const { fold, subscription } of this.#listeners) {
      fold?.drop();
      subscription.onEnd();
    }
    this.#listeners.clear();
    this.#watchedUntil = -Infinity;
    this.#kept = [];
  }

  /** @returns the listener that has to leave for another one of its group */
  #findReplaced({ group }: Subscription): Listener | undefined {
    if (group === undefined) return undefined;
    const present = [...this.#listeners].filter(({ subscription }) => subscription.group === group);
    return present.length < MAX_OF_GROUP ? undefined : present[0];
  }

  #replace(listener: Listener): void {
    this.#listeners.delete(listener);
    // So that the id of `moved` leaves out nothing.
    listener.fold?.flush();
    listener.subscription.onEvent(this.#make('moved', () => ({}), undefined));
    listener.subscription.onEnd();
  }

  /**
   * @param leaving - the listener whose place is taken
   * @throws OperatorError when too many listen already
   */
  #requirePlace({ accountId, isOperator }: Viewer, leaving: Listener | undefined): void {
    const present = [...this.#listeners].filter((listener) => listener !== leaving);
    const others = present.filter(({ subscription: { viewer } }) => !viewer.isOperator);
    const own = others.filter(({ subscription: { viewer } }) => viewer.accountId === accountId);
    const refuse = (count: number, who: string): void => {
      const message = `${String(count)} clients ${who} already`;
      throw new OperatorError('tooMany', 'TooManyListeners', message, 'close one of them');
    };
    if (present.length >= MAX_LISTENERS) refuse(MAX_LISTENERS, 'listen');
    if (isOperator) return;
    if (own.length >= MAX_OF_ACCOUNT) refuse(own.length, `of the account ${accountId} listen`);
    if (others.length >= MAX_LISTENERS - RESERVED) refuse(others.length, 'of accounts listen');
  }

  /** @returns the events that a listener has missed, of those that it sees and wants */
  #missedBy(subscription: Subscription): readonly KeptEvent[] {
    const { lastEventId } = subscription;
    if (lastEventId === undefined) return [];
    const kept = this.#isWatched ? this.#kept : [];
    const [run, digits = ''] = lastEventId.split('-');
    const last = run === this.#run && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
    const oldest = kept[0]?.sequence ?? this.#sequence + 1;
    const isKept = typesOf(subscription).every((type) => this.#wanted.has(type));
    if (isKept && last !== undefined && last >= oldest - 1) {
      const missed = kept.filter((event) => event.sequence > last && isFor(subscription, event));
      if (isFewEnough(missed, subscription)) return missed;
    }
    return [this.#make('lost', () => ({}), undefined)];
  }

  #make(type: EventType, make: () => object, accountId: string | undefined): KeptEvent {
    return new KeptEvent(this.#run, this.#sequence, type, make, accountId);
  }
}

function createListener(subscription: Subscription): Listener {
  const { fold = false, onEvent } = subscription;
  const onFolded = ({ id }: GatewayEvent): void => {
    onEvent({ id, type: 'lost', json: () => '{}' });
  };
  return { subscription, fold: fold ? new BurstFold({ onEvent, onFolded }) : undefined };
}

function pass({ fold, subscription }: Listener, event: GatewayEvent): void {
  if (fold === undefined) subscription.onEvent(event);
  else fold.add(event);
}

/** @returns whether a listener that comes back may get all of these at once */
function isFewEnough(missed: readonly KeptEvent[], { fold = false }: Subscription): boolean {
  if (fold && missed.length > MAX_IN_WINDOW) return false;
  return sizeOf(missed) <= MAX_REPLAY;
}

function sizeOf(events: readonly KeptEvent[]): number {
  return events.reduce((sum, event) => sum + Buffer.byteLength(event.json()) + EVENT_LINES, 0);
}

function isFor(subscription: Subscription, { accountId, type }: KeptEvent): boolean {
  return typesOf(subscription).includes(type) && seesAccount(subscription.viewer, accountId);
}

function typesOf({ types = EVENT_TYPES }: Subscription): readonly EventType[] {
  return types;
}
