import request from 'supertest';
import type { Response } from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';

/** Where the test controls are. */
export const BASE = '/_gateway/test';

/** Requests to the test controls of a gateway. */
export interface Controls {
  get(path: string): Promise<Response>;
  post(path: string, body?: object): Promise<Response>;
  put(path: string, body: object): Promise<Response>;
}

/** @param gateway - returns the gateway of the current test */
export function controlsOf(gateway: () => TestGateway): Controls {
  return {
    get: (path) => request(gateway().app).get(BASE + path),
    post: (path, body) =>
      request(gateway().app)
        .post(BASE + path)
        .send(body),
    put: (path, body) =>
      request(gateway().app)
        .put(BASE + path)
        .send(body),
  };
}
