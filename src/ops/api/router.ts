import express, { Router } from 'express';
import type { RequestHandler } from 'express';
import { sha256Hex } from '../../signatures/api-v3.ts';
import { mountRoutes } from '../route.ts';
import { authenticate, checkPayload } from './authenticate.ts';
import { cutBroken } from './cut-broken.ts';
import type { ApiDependencies } from './dependencies.ts';
import { createApiErrorHandler, refuseRoute } from './errors.ts';
import { createEventStream } from './events.ts';
import { GATEWAY_API_ROUTES } from './gateway-routes.ts';
import { createPackageForm } from './package-form.ts';
import { PACKAGE_API_ROUTES } from './package-routes.ts';
import { noteBegin, noteEnd, recordCalls } from './record-calls.ts';
import { REFUSAL_API_ROUTES } from './refusal-routes.ts';
import { UPLOAD_API_ROUTES } from './upload-routes.ts';

/** Every route of the operator API that has JSON in and out. To add some, write their file and add a line here. */
export const API_ROUTES = [
  ...UPLOAD_API_ROUTES,
  ...PACKAGE_API_ROUTES,
  ...REFUSAL_API_ROUTES,
  ...GATEWAY_API_ROUTES,
];

/** The operator API, mounted at `/_gateway/api`; docs/operator-api.md describes it. */
export function createApiRouter(deps: ApiDependencies): Router {
  const router = Router();
  router.use(keepPrivate, tellTime(deps), recordCalls(deps), cutBroken, authenticate(deps));
  router.use('/packages', createPackageForm(deps));
  router.use(
    express.json({
      type: () => true,
      limit: '64kb',
      inflate: false,
      verify: (request, _response, bytes) => {
        checkPayload(request, sha256Hex(bytes));
      },
    }),
  );
  router.get('/events', createEventStream(deps));
  mountRoutes(router, API_ROUTES, deps, { begin: noteBegin, end: noteEnd });
  router.use(refuseRoute);
  // Here, because Express passes an error to the outer router by the global setImmediate, which a test may have faked.
  router.use(createApiErrorHandler(deps.logger));
  return router;
}

/**
 * Of every response, also of errors: it may have been read with a cookie, so no cache keeps it, and no page of another site
 * or port shows it in a frame or loads it as a script or an image.
 */
const PRIVATE_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

const keepPrivate: RequestHandler = (_request, response, next) => {
  for (const [name, value] of Object.entries(PRIVATE_HEADERS)) response.setHeader(name, value);
  next();
};

/** Tells the time by the clock of the gateway, in Unix milliseconds: the console counts down to deadlines by it. */
function tellTime({ clock }: Pick<ApiDependencies, 'clock'>): RequestHandler {
  return (_request, response, next) => {
    response.setHeader('x-gateway-time', clock.now());
    next();
  };
}
