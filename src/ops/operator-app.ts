import type { RequestListener } from 'node:http';
import express from 'express';
import type { OpsDependencies } from './router.ts';
import { createOpsRouter } from './router.ts';

/** Makes the application for everything under `/_gateway`. */
export function createOperatorApp(deps: OpsDependencies): RequestListener {
  return express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('case sensitive routing')
    .set('query parser', false)
    .use('/_gateway', createOpsRouter(deps));
}
