import { ManualClock } from '../../../src/lib/clock.ts';
import { MAX_IN_WINDOW, WINDOW_MS } from '../../../src/operator/burst-fold.ts';
import {
  EventHub,
  MAX_KEPT,
  MAX_LISTENERS,
  MAX_OF_ACCOUNT,
  MAX_OF_GROUP,
  MAX_REPLAY,
  RESERVED,
} from '../../../src/operator/events.ts';
import type { GatewayEvent, Subscription } from '../../../src/operator/events.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const OPERATOR = { accountId: 'ops', isOperator: true };
const ANN = { accountId: 'ann', isOperator: false };

let clock: ManualClock;
let hub: EventHub;

beforeEach(() => {
  jest.useFakeTimers();
  clock = new ManualClock(0);
  hub = new EventHub(clock);
});

afterEach(() => jest.useRealTimers());

interface Listener {
  readonly seen: GatewayEvent[];
  readonly end: jest.Mock;
  readonly leave: () => void;
}

function listen(change: Partial<Subscription> = {}): Listener {
  const seen: GatewayEvent[] = [];
  const end = jest.fn();
  const leave = hub.listen({
    viewer: OPERATOR,
    onEvent: (event) => seen.push(event),
    onEnd: end,
    ...change,
  });
  return { seen, end, leave };
}

function publishMany(count: number): void {
  for (let n = 1; n <= count; n += 1) hub.publish('upload', () => ({ n }));
}

function typesOf({ seen }: Listener): string[] {
  return seen.map((event) => `${event.type} ${event.json()}`);
}

it('passes events to those who listen, with growing ids', () => {
  const listener = listen();
  hub.publish('upload', () => ({ n: 1 }));
  hub.publish('package', () => ({ n: 2 }));
  expect(typesOf(listener)).toEqual(['upload {"n":1}', 'package {"n":2}']);
  const [first, second] = listener.seen.map(({ id }) => id.split('-'));
  expect(first?.[0]).toBe(second?.[0]);
  expect([first?.[1], second?.[1]]).toEqual(['1', '2']);
});

it('shows an account only its own events, and operators all', () => {
  const ann = listen({ viewer: ANN });
  const operator = listen();
  hub.publish('upload', () => ({ n: 1 }), 'ann');
  hub.publish('upload', () => ({ n: 2 }), 'bob');
  hub.publish('usage', () => ({ n: 3 }));
  expect(typesOf(ann)).toEqual(['upload {"n":1}']);
  expect(typesOf(operator)).toHaveLength(3);
});

it('passes only the types that a listener wants', () => {
  const listener = listen({ types: ['refusal'] });
  hub.publish('upload', () => ({}));
  hub.publish('refusal', () => ({}));
  expect(typesOf(listener)).toEqual(['refusal {}']);
});

it('makes nothing while nobody listens', () => {
  expect(hub.wants('upload')).toBe(false);
  const make = jest.fn(() => ({}));
  hub.publish('upload', make);
  expect(make).not.toHaveBeenCalled();
  listen();
  expect(hub.wants('upload')).toBe(true);
});

it('makes only the types that someone wants', () => {
  listen({ types: ['refusal'] });
  const make = jest.fn(() => ({}));
  hub.publish('upload', make);
  expect([hub.wants('upload'), hub.wants('refusal')]).toEqual([false, true]);
  expect(make).not.toHaveBeenCalled();
});

it('says that events are lost to a listener that wants more types when it comes back', () => {
  const first = listen({ types: ['refusal'] });
  hub.publish('refusal', () => ({ n: 1 }));
  first.leave();
  hub.publish('upload', () => ({ n: 2 }));
  const lastEventId = first.seen[0]?.id;
  expect(typesOf(listen({ lastEventId, types: ['refusal'] }))).toEqual([]);
  expect(typesOf(listen({ lastEventId, types: ['refusal', 'upload'] }))).toEqual(['lost {}']);
});

it('keeps events for a listener that comes back within a minute', () => {
  const first = listen();
  hub.publish('upload', () => ({ n: 1 }));
  first.leave();
  clock.advance({ seconds: 59 });
  hub.publish('upload', () => ({ n: 2 }));
  hub.publish('upload', () => ({ n: 3 }), 'bob');
  const lastEventId = first.seen[0]?.id;
  expect(typesOf(listen({ lastEventId }))).toEqual(['upload {"n":2}', 'upload {"n":3}']);
  expect(typesOf(listen({ lastEventId, viewer: ANN }))).toEqual([]);
});

it('says that events are lost when they are not kept any more', () => {
  const first = listen();
  hub.publish('upload', () => ({ n: 1 }));
  first.leave();
  clock.advance({ seconds: 61 });
  hub.publish('upload', () => ({ n: 2 }));
  expect(hub.wants('upload')).toBe(false);
  hub.publish('upload', () => ({ n: 3 }));
  const lastEventId = first.seen[0]?.id;
  expect(typesOf(listen({ lastEventId }))).toEqual(['lost {}']);
  expect(typesOf(listen({ lastEventId: 'of-another-process' }))).toEqual(['lost {}']);
  expect(typesOf(listen({ lastEventId: 'x', viewer: ANN, types: ['upload'] }))).toEqual([
    'lost {}',
  ]);
});

it('keeps the last thousand events', () => {
  const first = listen();
  hub.publish('upload', () => ({}));
  const lastEventId = first.seen[0]?.id;
  hub.publish('package', () => ({ n: 1 }));
  publishMany(MAX_KEPT - 1);
  const back = { lastEventId, types: ['package'] } as const;
  expect(typesOf(listen(back))).toEqual(['package {"n":1}']);
  publishMany(1);
  expect(typesOf(listen(back))).toEqual(['lost {}']);
});

it('says that events are lost to a listener of an earlier run', () => {
  const earlier = listen();
  publishMany(3);
  const lastEventId = earlier.seen[1]?.id;
  hub = new EventHub(clock);
  listen();
  publishMany(3);
  expect(typesOf(listen({ lastEventId }))).toEqual(['lost {}']);
});

it('replays no more bytes than may wait for a listener', () => {
  const first = listen();
  publishMany(1);
  const lastEventId = first.seen[0]?.id;
  hub.publish('upload', () => ({ name: '固'.repeat(MAX_REPLAY / 3 - 50) }));
  expect(listen({ lastEventId }).seen.map(({ type }) => type)).toEqual(['upload']);
  hub.publish('upload', () => ({ name: '固'.repeat(30) }));
  expect(typesOf(listen({ lastEventId }))).toEqual(['lost {}']);
});

it('says nothing to a listener that comes back and has missed nothing', () => {
  const first = listen();
  hub.publish('upload', () => ({}));
  expect(typesOf(listen({ lastEventId: first.seen[0]?.id }))).toEqual([]);
});

it('leaves places to operators, and to other accounts', () => {
  const tooMany = expect.objectContaining({ kind: 'tooMany' });
  const fill = (accountId: string, count: number): void => {
    for (let n = 0; n < count; n += 1) listen({ viewer: { accountId, isOperator: false } });
  };
  fill('ann', MAX_OF_ACCOUNT);
  expect(() => listen({ viewer: ANN })).toThrow(tooMany);
  const others = MAX_LISTENERS - RESERVED - MAX_OF_ACCOUNT;
  for (let n = 0; n < others; n += 1) fill(`other ${String(n)}`, 1);
  expect(() => listen({ viewer: { accountId: 'one more', isOperator: false } })).toThrow(tooMany);
  for (let n = 0; n < RESERVED; n += 1) listen();
  expect(() => listen()).toThrow(tooMany);
});

it('ends the oldest listener of a group for one more, and tells it that it has moved', () => {
  const group = 'session';
  const [oldest, ...rest] = Array.from({ length: MAX_OF_GROUP }, () => listen({ group }));
  const strangers = [listen(), listen({ group: 'another' })];
  publishMany(1);
  const last = listen({ group, types: ['package'] });
  publishMany(1);
  expect(oldest && typesOf(oldest)).toEqual(['upload {"n":1}', 'moved {}']);
  expect(oldest?.end).toHaveBeenCalledTimes(1);
  for (const listener of [...rest, ...strangers]) {
    expect(typesOf(listener)).toHaveLength(2);
    expect(listener.end).not.toHaveBeenCalled();
  }
  listen({ group });
  expect(rest[0]?.seen.at(-1)?.type).toBe('moved');
  expect(typesOf(last)).toEqual([]);
});

it('gives the place of the oldest listener of a group to the next one when all places are taken', () => {
  const group = 'session';
  const mine = Array.from({ length: MAX_OF_GROUP }, () => listen({ group, viewer: ANN }));
  for (let n = MAX_OF_GROUP; n < MAX_OF_ACCOUNT; n += 1) listen({ viewer: ANN });
  listen({ group, viewer: ANN });
  expect(mine.map(({ end }) => end.mock.calls.length)).toEqual([1, 0, 0, 0]);
  expect(() => listen({ viewer: ANN })).toThrow(expect.objectContaining({ kind: 'tooMany' }));
});

describe('a listener that folds', () => {
  it('gets few events at once', () => {
    const listener = listen({ fold: true });
    publishMany(MAX_IN_WINDOW);
    expect(listener.seen).toHaveLength(MAX_IN_WINDOW);
    jest.advanceTimersByTime(WINDOW_MS);
    publishMany(1);
    jest.advanceTimersByTime(10 * WINDOW_MS);
    expect(typesOf(listener).slice(MAX_IN_WINDOW)).toEqual(['upload {"n":1}']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gets one `lost` for the rest of many events, at the end of their window', () => {
    const [listener, other] = [listen({ fold: true }), listen()];
    publishMany(MAX_IN_WINDOW + 30);
    jest.advanceTimersByTime(WINDOW_MS - 1);
    expect(listener.seen).toHaveLength(MAX_IN_WINDOW);
    jest.advanceTimersByTime(1);
    expect(typesOf(listener).slice(MAX_IN_WINDOW)).toEqual(['lost {}']);
    expect(other.seen).toHaveLength(MAX_IN_WINDOW + 30);
    expect(listener.seen.at(-1)?.id).toBe(other.seen.at(-1)?.id);
  });

  it('gets one `lost` for each window while a burst lasts, and events at once after it', () => {
    const listener = listen({ fold: true });
    const after = (count: number): string[] => {
      const known = listener.seen.length;
      publishMany(count);
      jest.advanceTimersByTime(WINDOW_MS);
      return typesOf(listener).slice(known);
    };
    expect(after(250)).toHaveLength(MAX_IN_WINDOW + 1);
    expect(after(250)).toEqual(['lost {}']);
    expect(after(MAX_IN_WINDOW + 1)).toEqual(['lost {}']);
    expect(after(1)).toEqual(['lost {}']);
    expect(after(1)).toEqual(['upload {"n":1}']);
    expect(after(250)).toHaveLength(MAX_IN_WINDOW + 1);
    expect(after(0)).toEqual([]);
    expect(after(1)).toEqual(['upload {"n":1}']);
  });

  it('makes no data of the events that are folded', () => {
    const listener = listen({ fold: true });
    const make = jest.fn(() => ({}));
    for (let n = 0; n < 100; n += 1) hub.publish('upload', make);
    jest.advanceTimersByTime(WINDOW_MS);
    expect(typesOf(listener)).toHaveLength(MAX_IN_WINDOW + 1);
    expect(make).toHaveBeenCalledTimes(MAX_IN_WINDOW);
  });

  it('counts only the events that it wants and sees', () => {
    const listener = listen({ fold: true, types: ['package'], viewer: ANN });
    publishMany(100);
    for (let n = 0; n < 100; n += 1) hub.publish('package', () => ({}), 'bob');
    hub.publish('package', () => ({}), 'ann');
    jest.advanceTimersByTime(WINDOW_MS);
    expect(typesOf(listener)).toEqual(['package {}']);
  });

  it('gets one `lost` for many events that it has missed', () => {
    const first = listen();
    publishMany(MAX_IN_WINDOW + 2);
    const [one, two] = first.seen.map(({ id }) => ({ fold: true, lastEventId: id }));
    expect(typesOf(listen(one))).toEqual(['lost {}']);
    expect(typesOf(listen(two))).toHaveLength(MAX_IN_WINDOW);
  });

  it('gets what was folded before it has moved, and nothing after it has left', () => {
    const listeners = Array.from({ length: MAX_OF_GROUP }, () =>
      listen({ fold: true, group: 'g' }),
    );
    publishMany(MAX_IN_WINDOW + 1);
    listen({ group: 'g' });
    listeners[1]?.leave();
    jest.advanceTimersByTime(10 * WINDOW_MS);
    const endings = listeners.map(({ seen }) => seen.slice(MAX_IN_WINDOW).map(({ type }) => type));
    expect(endings).toEqual([['lost', 'moved'], [], ['lost'], ['lost']]);
    hub.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});

it('refuses one listener too many, and another one after the end', () => {
  const listeners = Array.from({ length: MAX_LISTENERS }, () => listen());
  expect(() => listen()).toThrow(expect.objectContaining({ kind: 'tooMany' }));
  listeners[0]?.leave();
  const last = listen();
  hub.close();
  expect(last.end).toHaveBeenCalledTimes(1);
  expect(() => listen()).toThrow(expect.objectContaining({ kind: 'unavailable' }));
  expect(hub.wants('upload')).toBe(false);
});
