import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { ACCOUNT_KEY } from './built-gateway.ts';

/** The page of the console in a browser, and what it has done. */
export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, and violations of its policy. */
  readonly problems: readonly string[];
  /** The URL of every request. */
  readonly requested: readonly string[];
}

interface ConsoleOptions extends BrowserContextOptions {
  /** Undefined: nobody signs in. */
  readonly accessKey?: { readonly id: string; readonly secret: string } | undefined;
  /** Where the console begins, such as `#/packages`. */
  readonly hash?: string;
}

/**
 * Opens the console of a gateway, and signs in.
 * @param url - of the gateway, with the prefix of a proxy
 */
export async function openConsole(
  browser: Browser,
  url: string,
  { accessKey = ACCOUNT_KEY, hash = '', ...options }: ConsoleOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  // Less than that of a test, so that it says what was not seen.
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const problems: string[] = [];
  const requested: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('request', (request) => requested.push(request.url()));
  await page.goto(`${url}/_gateway/console/${hash}`);
  const opened = {
    ...{ page, context, problems, requested },
    [Symbol.asyncDispose]: () => context.close(),
  };
  await signIn(page, accessKey);
  return opened;
}

/** Signs in by the form. */
export async function signIn(
  page: Page,
  { id, secret }: { readonly id: string; readonly secret: string },
): Promise<void> {
  await page.getByLabel('Access key').fill(id);
  await page.getByLabel('Secret').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation').first().waitFor();
}

/** Drops files of the disk onto the middle of the page, as a person does with the mouse. */
export async function dropFiles(page: Page, files: readonly string[]): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const { height, width } = page.viewportSize() ?? { width: 0, height: 0 };
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2, data });
  }
  await devtools.detach();
}

/** Makes the network slow, so that an upload can be watched. @param perSecond - bytes */
export async function limitUploads(
  page: Page,
  perSecond: number,
): Promise<{ lift: () => Promise<void> }> {
  const devtools = await page.context().newCDPSession(page);
  const limit = (uploadThroughput: number): Promise<unknown> =>
    devtools.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: 0, downloadThroughput: -1, uploadThroughput },
    });
  await limit(perSecond);
  return {
    lift: async () => {
      await limit(-1);
      await devtools.detach();
    },
  };
}

/** @returns the bytes of the file that the browser saves after an action */
export async function downloadBy(page: Page, act: () => Promise<void>): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return readFile(await download.path());
}
