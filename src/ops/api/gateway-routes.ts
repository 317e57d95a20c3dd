import { z } from 'zod';
import { accountListShape } from '../../operator/account-shapes.ts';
import { requireOperator } from '../../operator/actions.ts';
import { purgeInput, usageInput } from '../../operator/inputs.ts';
import { aboutShape, purgeShape } from '../../operator/shapes.ts';
import { usageReportShape } from '../../operator/usage-shapes.ts';
import { NOTHING, routesOf } from '../route.ts';
import { callerOf } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';

const route = routesOf<ApiDependencies>();

export const GATEWAY_API_ROUTES = [
  route({
    method: 'post',
    path: '/purge',
    id: 'runPurge',
    summary: 'Runs the purge now, or says what is due. For operators.',
    query: NOTHING,
    body: purgeInput,
    response: purgeShape,
    run: ({ actions }, { body: { dryRun }, raw }) => actions.purge(callerOf(raw).viewer, dryRun),
  }),
  route({
    method: 'get',
    path: '/usage',
    id: 'getUsage',
    summary: 'Counts the uploads and packages of all accounts, now and over time. For operators.',
    query: usageInput,
    body: NOTHING,
    response: usageReportShape,
    run: async ({ meter }, { query: { last }, raw }) => {
      const { viewer } = callerOf(raw);
      requireOperator(viewer, 'the usage of all accounts; your own is in about');
      return meter.report(last);
    },
  }),
  route({
    method: 'get',
    path: '/accounts',
    id: 'listAccounts',
    summary:
      'Lists the accounts with their access keys, without secrets, limits and use. For operators.',
    query: NOTHING,
    body: NOTHING,
    response: accountListShape,
    run: ({ listAccounts }, { raw }) => listAccounts(callerOf(raw).viewer),
  }),
  route({
    method: 'get',
    path: '/about',
    id: 'getAbout',
    summary: 'Describes the gateway, its limits and the caller, with what the caller uses.',
    query: NOTHING,
    body: NOTHING,
    response: aboutShape,
    run: ({ about }, { raw }) => {
      const { account, viewer } = callerOf(raw);
      return about(account, viewer);
    },
  }),
  route({
    method: 'post',
    path: '/reload',
    id: 'reloadAccounts',
    summary: 'Reads the accounts file and the generated keys again. For operators.',
    query: NOTHING,
    body: NOTHING,
    response: z.object({ accounts: z.int().describe('how many there are') }),
    refusals: { 409: 'a file cannot be used; the accounts and keys from before stay' },
    run: ({ actions }, { raw }) => actions.reload(callerOf(raw).viewer),
  }),
];
