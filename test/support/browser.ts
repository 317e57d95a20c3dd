import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

/** The path in Debian. */
const CHROMIUM = '/usr/bin/chromium';

/** Of a headless Chromium that sends no requests of its own. */
export const CHROMIUM_OPTIONS = {
  executablePath: CHROMIUM,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** Starts a headless Chromium. @param args - more of them */
export function startChromium(...args: readonly string[]): Promise<Browser> {
  return chromium.launch({ ...CHROMIUM_OPTIONS, args: [...CHROMIUM_OPTIONS.args, ...args] });
}

/**
 * Waits until an expression holds in a page. `page.waitForFunction` would not do: it evaluates a text inside of the page
 * with each look, which the policy of the console forbids.
 *
 * @param expression - JavaScript
 * @returns its value
 */
export function untilTrue(page: Page, expression: string): Promise<unknown> {
  return page.evaluate(`new Promise((resolve) => {
    const look = () => {
      const value = ${expression};
      if (value) resolve(value);
      else setTimeout(look, 10);
    };
    look();
  })`);
}

/** A web site that serves one page at every path. */
export interface Site extends AsyncDisposable {
  /** Without a trailing slash, as browsers write it. */
  readonly origin: string;
}

/** Serves `test/fixtures/upload-page.html` from a separate origin. */
export async function serveUploadPage(): Promise<Site> {
  const page = await readFile(join(__dirname, '..', 'fixtures', 'upload-page.html'));
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String(portOf(server))}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
