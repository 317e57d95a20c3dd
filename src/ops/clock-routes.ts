import { z } from 'zod';
import type { AdjustableClock } from '../lib/clock.ts';
import { NOTHING, routesOf } from './route.ts';
import { clockState, duration } from './schemas.ts';
import type { TestControls } from './test-controls.ts';

const route = routesOf<TestControls>();

const instant = z.strictObject({
  time: z.union([z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)), z.int()], {
    error: 'expected a date like 2024-04-01T12:00:00Z, or Unix milliseconds',
  }),
});

/** Changes the clock. @returns what it shows then */
function change(
  { clock, clockMoved }: TestControls,
  act: (clock: AdjustableClock) => void,
): z.output<typeof clockState> {
  act(clock);
  clockMoved();
  return show(clock);
}

function show(clock: AdjustableClock): z.output<typeof clockState> {
  return {
    time: new Date(clock.now()).toISOString(),
    frozen: clock.isFrozen,
    offset: clock.offset,
  };
}

export const CLOCK_ROUTES = [
  route({
    method: 'get',
    path: '/clock',
    id: 'getClock',
    summary: 'Reads the clock.',
    query: NOTHING,
    body: NOTHING,
    response: clockState,
    run: ({ clock }) => show(clock),
  }),
  route({
    method: 'put',
    path: '/clock',
    id: 'setClock',
    summary: 'Sets the clock.',
    query: NOTHING,
    body: instant,
    response: clockState,
    run: (controls, { body }) =>
      change(controls, (clock) => {
        clock.set(body.time);
      }),
  }),
  route({
    method: 'post',
    path: '/clock/advance',
    id: 'advanceClock',
    summary: 'Moves the clock by a duration; the units are added, negative values move it back.',
    query: NOTHING,
    body: duration,
    response: clockState,
    run: (controls, { body }) =>
      change(controls, (clock) => {
        clock.advance(body);
      }),
  }),
  route({
    method: 'post',
    path: '/clock/freeze',
    id: 'freezeClock',
    summary: 'Stops the clock; it can still be set and advanced.',
    query: NOTHING,
    body: NOTHING,
    response: clockState,
    run: (controls) =>
      change(controls, (clock) => {
        clock.freeze();
      }),
  }),
  route({
    method: 'post',
    path: '/clock/unfreeze',
    id: 'unfreezeClock',
    summary: 'Lets the clock continue from its current time.',
    query: NOTHING,
    body: NOTHING,
    response: clockState,
    run: (controls) =>
      change(controls, (clock) => {
        clock.unfreeze();
      }),
  }),
];
