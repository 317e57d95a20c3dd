import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { CHROMIUM_OPTIONS, startChromium } from '../../support/browser.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';
import { startWithAccounts } from '../../support/accounts.ts';

const keyOf = (name: string) => ({ id: `${name}-key`, secret: `${name}-Secret-4711` });
type Key = ReturnType<typeof keyOf>;

/** A key for each test: the failures of one do not count for another. */
const [KNOWN, TRIED, STALED, REPLAYED, HIDDEN] = [
  ...([
    keyOf('known'),
    keyOf('tried'),
    keyOf('staled'),
    keyOf('replayed'),
    keyOf('hidden'),
  ] as const),
];
const KEYS = [KNOWN, TRIED, STALED, REPLAYED, HIDDEN];

const WRONG = 'The access key or its secret is wrong.';
const STALE = 'The gateway did not take the sign-in for a fresh one. Try again.';

const SHIFT_CLOCK = join(__dirname, '..', 'reliability', 'shift-clock.js');
/** Has the milliseconds by which the clock of the gateway is off. */
const offsetFile = (folder: string): string => join(folder, 'offset');

describeWith('chromium', 'signing in to the console, in Chromium', () => {
  const gateway = gatewayForSuite(async (folder) => {
    await writeFile(offsetFile(folder), '0');
    return startWithAccounts(folder, [{ id: 'team', accessKeys: KEYS }], {
      OTA_GATEWAY_LOG_LEVEL: 'debug',
      NODE_OPTIONS: `--require ${SHIFT_CLOCK}`,
      CLOCK_OFFSET_FILE: offsetFile(folder),
    });
  });
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  const openForm = async (): Promise<Page> => {
    const page = await browser.newPage({ locale: 'en-US' });
    await page.goto(`${gateway.url}/_gateway/console/#/packages`);
    await page.getByLabel('Access key').waitFor();
    return page;
  };

  const send = async (page: Page, { id, secret }: Key): Promise<void> => {
    await page.getByLabel('Access key').fill(id);
    await page.getByLabel('Secret').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  /** Sends the form. @returns what the page says, and the status of the answer */
  const refusedWith = async (page: Page, key: Key): Promise<[string, number]> => {
    const answer = page.waitForResponse(
      (each) => each.url().endsWith('/console/session') && each.request().method() === 'POST',
    );
    await send(page, key);
    const status = (await answer).status();
    const text = await page.getByRole('alert').innerText();
    return [text.trim(), status];
  };

  it('says the same of a wrong secret and of an unknown key', async () => {
    const page = await openForm();
    expect(await refusedWith(page, { ...KNOWN, secret: 'wrong' })).toEqual([WRONG, 401]);
    expect(await page.getByLabel('Secret').inputValue()).toBe('');
    expect(await refusedWith(page, { id: 'nobody', secret: 'wrong' })).toEqual([WRONG, 401]);
    await page.close();
  });

  it('stops at the sixth try, also with the right secret', async () => {
    const page = await openForm();
    for (let n = 0; n < 5; n += 1) {
      expect(await refusedWith(page, { ...TRIED, secret: `wrong ${String(n)}` })).toEqual([
        WRONG,
        401,
      ]);
    }
    expect(await refusedWith(page, TRIED)).toEqual([
      'Too many attempts. Wait a minute, and try again.',
      429,
    ]);
    await page.close();
  });

  it('says that a challenge is too old, and takes the next try', async () => {
    const page = await openForm();
    await page.route('**/console/challenge', async (route) => {
      const response = await route.fetch();
      await writeFile(offsetFile(gateway.folder), '60000');
      await route.fulfill({ response });
    });
    expect(await refusedWith(page, STALED)).toEqual([STALE, 401]);
    await page.unroute('**/console/challenge');
    await send(page, STALED);
    await page.getByRole('heading', { level: 1, name: 'Packages' }).waitFor();
    await page.close();
  });

  it('refuses a proof that was seen on the way and is sent again', async () => {
    const page = await openForm();
    const sent = page.waitForRequest(
      (each) => each.url().endsWith('/console/session') && each.method() === 'POST',
    );
    await send(page, REPLAYED);
    const body = (await sent).postData() ?? '';
    await page.getByRole('navigation').waitFor();
    const other = await openForm();
    await other.route('**/console/session', (route) =>
      route.request().method() === 'POST' ? route.continue({ postData: body }) : route.continue(),
    );
    expect(await refusedWith(other, REPLAYED)).toEqual([STALE, 401]);
    expect(await other.context().cookies()).toEqual([]);
    await page.close();
    await other.close();
  });

  it('leaves the secret in no request, no storage and no message of the page', async () => {
    const { secret } = HIDDEN;
    const profile = join(gateway.folder, 'profile');
    const context = await chromium.launchPersistentContext(profile, CHROMIUM_OPTIONS);
    const seen: string[] = [];
    const reads: Promise<unknown>[] = [];
    context.on('request', (request) => {
      seen.push(request.url(), request.postData() ?? '');
      reads.push(request.allHeaders().then((headers) => seen.push(JSON.stringify(headers))));
    });
    context.on('console', (message) => seen.push(message.text()));
    const page = await context.newPage();
    await page.goto(`${gateway.url}/_gateway/console/`);
    await send(page, { ...HIDDEN, secret: `${secret}-mistyped` });
    await page.getByRole('alert').waitFor();
    await send(page, HIDDEN);
    await page.getByRole('navigation').waitFor();
    seen.push(JSON.stringify(await context.storageState({ indexedDB: true })));
    seen.push(await page.evaluate<string>(EVERYTHING), await page.content());
    await Promise.all(reads);
    await context.close();
    expect(seen.some((text) => text.includes(HIDDEN.id))).toBe(true);
    expect(seen.filter((text) => text.includes(secret))).toEqual([]);
    expect(await filesWith(profile, secret)).toEqual([]);
  });

  it('leaves no secret in the log and the data of the gateway', async () => {
    expect(gateway.output()).toContain('POST session: SignInRefused');
    for (const { secret } of KEYS) {
      expect(gateway.output()).not.toContain(secret);
      expect(await filesWith(gateway.dataDir, secret)).toEqual([]);
    }
  });
});

/** What a script of the page can read. */
const EVERYTHING = `JSON.stringify([
  { ...sessionStorage }, { ...localStorage }, document.cookie, history.state, location.href,
  performance.getEntries().map(({ name }) => name),
  [...document.querySelectorAll('input')].map(({ value }) => value),
])`;

/** @returns the files of a folder that have a text, as bytes of UTF-8 or UTF-16 */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const found = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      return bytes.includes(text) || bytes.includes(text, 0, 'utf16le') ? [file] : [];
    }),
  );
  return found.flat();
}
