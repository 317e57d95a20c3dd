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
  await page.getByRole('navigation').waitFor();
}
