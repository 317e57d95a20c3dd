import { z } from 'zod';
import { faultJson } from '../faults/fault-spec.ts';
import { BadControl } from './responses.ts';
import { NOTHING, routesOf } from './route.ts';
import { activeFault } from './schemas.ts';
import type { TestControls } from './test-controls.ts';

const route = routesOf<TestControls>();
const list = z.object({ faults: z.array(activeFault) });

/** Described, and not checked: the registry of faults does that, with better messages. */
const wanted = z.unknown().meta(z.toJSONSchema(faultJson(), { io: 'input' }));

export const FAULT_ROUTES = [
  route({
    method: 'get',
    path: '/faults',
    id: 'listFaults',
    summary: 'Lists the active faults, oldest first.',
    query: NOTHING,
    body: NOTHING,
    response: list,
    run: ({ faults }) => ({ faults: faults.list() }),
  }),
  route({
    method: 'post',
    path: '/faults',
    id: 'injectFault',
    summary: 'Lets requests fail: one, unless `times` or `rate` is given.',
    query: NOTHING,
    body: wanted,
    status: 201,
    response: z.object({ id: z.int() }),
    run: ({ faults }, { body }) => ({ id: faults.inject(body) }),
  }),
  route({
    method: 'delete',
    path: '/faults',
    id: 'clearFaults',
    summary: 'Removes all faults.',
    query: NOTHING,
    body: NOTHING,
    response: list,
    run: ({ faults }) => {
      faults.clear();
      return { faults: [] };
    },
  }),
  route({
    method: 'delete',
    path: '/faults/{id}',
    id: 'cancelFault',
    summary: 'Removes a fault, and lists the remaining ones.',
    params: { id: 'id of the fault' },
    query: NOTHING,
    body: NOTHING,
    response: list,
    refusals: { 404: 'there is no such fault' },
    run: ({ faults }, { param }) => {
      const id = param('id');
      if (/^\d+$/.test(id) && faults.cancel(Number(id))) return { faults: faults.list() };
      throw new BadControl(`there is no fault ${id}`, 404);
    },
  }),
];
