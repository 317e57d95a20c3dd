import { ManualClock } from '../../../src/lib/clock.ts';
import { EventHub, MAX_LISTENERS, MAX_OF_ACCOUNT } from '../../../src/operator/events.ts';
import type { GatewayEvent, Subscription } from '../../../src/operator/events.ts';

const OPERATOR = { accountId: 'ops', isOperator: true };
const ANN = { accountId: 'ann', isOperator: false };

let clock: ManualClock;
let hub: EventHub;

beforeEach(() => {
  clock = new ManualClock(0);
  hub = new EventHub(clock);
});

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

function typesOf({ seen }: Listener): string[] {
  return seen.map(({ json, type }) => `${type} ${json()}`);
}

it('passes events to those who listen, with growing ids', () => {
  const listener = listen();
  hub.publish('upload', { n: 1 });
  hub.publish('package', { n: 2 });
  expect(typesOf(listener)).toEqual(['upload {"n":1}', 'package {"n":2}']);
  const [first, second] = listener.seen.map(({ id }) => id.split('-'));
  expect(first?.[0]).toBe(second?.[0]);
  expect([first?.[1], second?.[1]]).toEqual(['1', '2']);
});

it('shows an account only its own events, and operators all', () => {
  const ann = listen({ viewer: ANN });
  const operator = listen();
  hub.publish('upload', { n: 1 }, 'ann');
  hub.publish('upload', { n: 2 }, 'bob');
  hub.publish('usage', { n: 3 });
  expect(typesOf(ann)).toEqual(['upload {"n":1}']);
  expect(typesOf(operator)).toHaveLength(3);
});

it('passes only the types that a listener wants', () => {
  const listener = listen({ types: ['refusal'] });
  hub.publish('upload', {});
  hub.publish('refusal', {});
  expect(typesOf(listener)).toEqual(['refusal {}']);
});

it('makes nothing while nobody listens', () => {
  expect(hub.isWatched).toBe(false);
  const data = { toJSON: jest.fn() };
  hub.publish('upload', data);
  expect(data.toJSON).not.toHaveBeenCalled();
  listen();
  expect(hub.isWatched).toBe(true);
});

it('keeps events for a listener that comes back within a minute', () => {
  const first = listen();
  hub.publish('upload', { n: 1 });
  first.leave();
  clock.advance({ seconds: 59 });
  hub.publish('upload', { n: 2 });
  hub.publish('upload', { n: 3 }, 'bob');
  const lastEventId = first.seen[0]?.id;
  expect(typesOf(listen({ lastEventId }))).toEqual(['upload {"n":2}', 'upload {"n":3}']);
  expect(typesOf(listen({ lastEventId, viewer: ANN }))).toEqual([]);
});

it('says that events are lost when they are not kept any more', () => {
  const first = listen();
  hub.publish('upload', { n: 1 });
  first.leave();
  clock.advance({ seconds: 61 });
  hub.publish('upload', { n: 2 });
  expect(hub.isWatched).toBe(false);
  hub.publish('upload', { n: 3 });
  const lastEventId = first.seen[0]?.id;
  expect(typesOf(listen({ lastEventId }))).toEqual(['lost {}']);
  expect(typesOf(listen({ lastEventId: 'of-another-process' }))).toEqual(['lost {}']);
  expect(typesOf(listen({ lastEventId: 'x', viewer: ANN, types: ['upload'] }))).toEqual([
    'lost {}',
  ]);
});

it('keeps at most some thousand events', () => {
  const first = listen();
  for (let n = 1; n <= 5000; n += 1) hub.publish('upload', { n });
  const idOf = (index: number) => ({ lastEventId: first.seen[index]?.id });
  expect(typesOf(listen(idOf(4500)))).toHaveLength(499);
  expect(typesOf(listen(idOf(10)))).toEqual(['lost {}']);
});

it('counts only what a listener gets when it comes back, not what others get', () => {
  const first = listen({ viewer: ANN, types: ['upload'] });
  hub.publish('upload', { n: 1 }, 'ann');
  first.leave();
  const long = 'x'.repeat(100_000);
  hub.publish('upload', { long }, 'bob');
  hub.publish('refusal', { long }, 'ann');
  hub.publish('upload', { n: 2 }, 'ann');
  const lastEventId = first.seen[0]?.id;
  const back = { lastEventId, viewer: ANN };
  expect(typesOf(listen({ ...back, types: ['upload'] }))).toEqual(['upload {"n":2}']);
  expect(typesOf(listen({ ...back, viewer: OPERATOR }))).toEqual(['lost {}']);
});

it('says nothing to a listener that comes back and has missed nothing', () => {
  const first = listen();
  hub.publish('upload', {});
  expect(typesOf(listen({ lastEventId: first.seen[0]?.id }))).toEqual([]);
});

it('leaves places to operators, and to other accounts', () => {
  const viewerOf = (accountId: string) => ({ viewer: { accountId, isOperator: false } });
  const tooMany = expect.objectContaining({ kind: 'tooMany' });
  for (let count = 0; count < MAX_OF_ACCOUNT; count += 1) listen({ viewer: ANN });
  expect(() => listen({ viewer: ANN })).toThrow(tooMany);
  for (let count = 0; count < 16; count += 1) listen(viewerOf(`a${String(count)}`));
  expect(() => listen(viewerOf('one more'))).toThrow(tooMany);
  for (let count = 0; count < 8; count += 1) listen();
  expect(() => listen()).toThrow(tooMany);
});

it('refuses one listener too many, and another one after the end', () => {
  const listeners = Array.from({ length: MAX_LISTENERS }, () => listen());
  expect(() => listen()).toThrow(expect.objectContaining({ kind: 'tooMany' }));
  listeners[0]?.leave();
  const last = listen();
  hub.close();
  expect(last.end).toHaveBeenCalledTimes(1);
  expect(() => listen()).toThrow(expect.objectContaining({ kind: 'unavailable' }));
  expect(hub.isWatched).toBe(false);
});
