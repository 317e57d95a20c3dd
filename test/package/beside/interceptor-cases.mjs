import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { http, passthrough } from 'msw';
import { setupServer } from 'msw/node';
import nock from 'nock';

const { useKit, usePort, withFakeTimers, withGateway } = createRequire(import.meta.url)(
  './use-kit.cjs',
);

async function withMsw(onUnhandledRequest, handlers, use) {
  const seen = [];
  const server = setupServer(...handlers);
  server.events.on('request:start', ({ request }) => seen.push(request.url));
  server.listen({ onUnhandledRequest });
  try {
    await use();
  } finally {
    server.close();
  }
  return seen;
}

async function withNock(allowed, use) {
  const refused = [];
  const note = ({ path }) => refused.push(path);
  nock.emitter.on('no match', note);
  nock.disableNetConnect();
  if (allowed !== undefined) nock.enableNetConnect(allowed);
  try {
    await use();
  } finally {
    nock.emitter.off('no match', note);
    nock.enableNetConnect();
  }
  return refused;
}

/**
 * @param startTestGateway - of the package
 * @param timers - `fake` and `restore` of a framework
 * @returns tests: names and functions
 */
export function interceptorCases(startTestGateway, timers) {
  const useAll = () => withGateway(startTestGateway, useKit);
  return [
    [
      'msw sees no request of the kit when it refuses unknown ones',
      async () => assert.deepEqual(await withMsw('error', [], useAll), []),
    ],
    [
      'msw sees no request of the kit when it lets unknown ones pass',
      async () => assert.deepEqual(await withMsw('bypass', [], useAll), []),
    ],
    [
      'nock sees no request of the kit',
      async () => assert.deepEqual(await withNock(undefined, useAll), []),
    ],
    [
      'the kit and its port work beside msw, nock and fake timers',
      async () => {
        const handlers = [http.all(/^http:\/\/127\.0\.0\.1:/, () => passthrough())];
        const useBoth = () =>
          withGateway(startTestGateway, async (gateway) => {
            await useKit(gateway);
            await usePort(gateway);
          });
        const useFaked = () => withFakeTimers(timers, useBoth);
        await withNock('127.0.0.1', () => withMsw('error', handlers, useFaked));
      },
    ],
  ];
}
