import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import { ACCOUNT_KEY, runCli, startBuiltGateway } from '../../support/built-gateway.ts';
import type { ConsolePage } from '../../support/console.ts';
import { openConsole } from '../../support/console.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';

/** Larger than the largest object. */
const TOO_LARGE = Buffer.alloc(2048);
const SMALL = Buffer.from('firmware');

/** A form that is refused, and how the page names the reason. */
interface Refused {
  readonly reason: string;
  /** @returns the id of the request and the key that it named */
  readonly refuse: (url: string) => Promise<{ requestId: string; key: string }>;
}

async function refuse(
  url: string,
  bytes: Buffer,
  change: Readonly<Record<string, string>> = {},
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<{ requestId: string; key: string }> {
  const grant = await grantFrom(url);
  await between();
  const { headers, status } = await post(grant, bytes, change);
  expect(status).toBeGreaterThanOrEqual(400);
  return { requestId: String(headers['x-oss-request-id']), key: change['key'] ?? grant.key };
}

async function advance(url: string, milliseconds: number): Promise<void> {
  const response = await fetch(`${url}/_gateway/test/clock/advance`, {
    method: 'POST',
    body: JSON.stringify({ milliseconds }),
  });
  expect(response.status).toBe(200);
}

const FORMS: readonly Refused[] = [
  {
    reason: 'Condition not met',
    refuse: (url) => refuse(url, SMALL, { key: 'other.bin' }),
  },
  {
    reason: 'Wrong signature',
    refuse: (url) => refuse(url, SMALL, { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }),
  },
  { reason: 'Too large', refuse: (url) => refuse(url, TOO_LARGE) },
  {
    reason: 'Form expired',
    refuse: (url) => refuse(url, SMALL, {}, () => advance(url, 90_000)),
  },
];

describeWith('chromium', 'refused forms in the console, in Chromium', () => {
  const gateway = gatewayForSuite((folder) =>
    startBuiltGateway(join(folder, 'data'), {
      OTA_GATEWAY_TEST_MODE: 'on',
      OTA_GATEWAY_MAX_UPLOAD: '1KiB',
    }),
  );
  let browser: Browser;
  let opened: ConsolePage;

  beforeAll(async () => {
    browser = await startChromium();
    opened = await openConsole(browser, gateway.url, { hash: '#/refusals' });
    await opened.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  });
  afterAll(() => browser.close());

  const show = (hash: string): Promise<unknown> =>
    opened.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

  /** @returns what the command says, without the age of the request, which differs from that in the page by seconds */
  async function explain(requestId: string): Promise<string> {
    const { code, stdout } = await runCli(['explain', requestId, '--endpoint', gateway.url], {
      OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
      OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
    });
    expect(code).toBe(0);
    return withoutAge(stdout);
  }

  it.each(FORMS)(
    'appear at once among the groups, and their page says what the command says: $reason',
    async ({ reason, refuse: refuseOne }) => {
      const { page } = opened;
      await show('#/refusals');
      await page.getByRole('heading', { name: 'Refusals', level: 1 }).waitFor();
      await page.getByText('live', { exact: true }).waitFor();
      const row = page.getByRole('row').filter({ hasText: reason });
      expect(await row.count()).toBe(0);
      const { requestId } = await refuseOne(gateway.url);
      await row.waitFor();
      expect(await row.getByRole('cell').nth(2).textContent()).toBe('1');

      await row.locator(`a[href="#/refusals/${requestId}"]`).click();
      await page.getByRole('heading', { name: reason, level: 1 }).waitFor();
      const expected = await explain(requestId);
      await page.getByRole('button', { name: 'Copy as text' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      const copied = await page.evaluate<string>('navigator.clipboard.readText()');
      expect(withoutAge(copied)).toBe(expected);
      const shown = wordsOf((await page.getByRole('main').textContent()) ?? '');
      for (const line of expected.split('\n')) {
        const text = line.replace(/, AGE ago$|^To pass: |\.$|^ +(met|NOT MET) +/g, '');
        expect(shown).toContain(wordsOf(text));
      }
      expect(opened.problems).toEqual([]);
    },
  );

  it('are counted in their group', async () => {
    const { page } = opened;
    await show('#/refusals');
    const row = page.getByRole('row').filter({ hasText: 'Too large' });
    await row.waitFor();
    await refuse(gateway.url, TOO_LARGE);
    await row.getByRole('cell', { name: '2', exact: true }).waitFor();
    await row.getByRole('link', { name: 'Too large' }).click();
    await page.getByRole('heading', { name: 'Refusals', level: 1 }).waitFor();
    await page.getByRole('table', { name: /Refused requests/ }).waitFor();
    expect(await page.getByRole('row').filter({ hasText: 'Too large' }).count()).toBe(2);
    expect(await page.getByRole('row').filter({ hasText: 'Form expired' }).count()).toBe(0);
  });

  it('are reached from the upload whose key they have named', async () => {
    const { page } = opened;
    const { key, requestId } = await refuse(gateway.url, TOO_LARGE);
    await refuse(gateway.url, SMALL, { key: 'another.bin' });
    await show(`#/uploads/${encodeURIComponent(key)}`);
    const found = page.getByRole('table', { name: 'Refused requests that named this key' });
    await found.locator(`a[href="#/refusals/${requestId}"]`).waitFor();
    expect(await found.getByRole('row').count()).toBe(2);
    // Another one appears by itself.
    await refuse(gateway.url, SMALL, { key });
    await found.getByRole('row').nth(2).waitFor();

    await page.getByRole('link', { name: 'Show them among all refusals' }).click();
    await page.getByRole('heading', { name: 'Refusals', level: 1 }).waitFor();
    expect(await page.getByRole('searchbox', { name: 'Key' }).inputValue()).toBe(key);
    await page.getByRole('row').nth(2).waitFor();
    expect(await page.getByRole('row').count()).toBe(3);
    await page.locator(`a[href="#/refusals/${requestId}"]`).click();
    await page.getByRole('heading', { name: 'Too large', level: 1 }).waitFor();
    await page.getByRole('link', { name: key }).click();
    await page.getByRole('heading', { name: 'Upload', level: 1 }).waitFor();
  });
});

function withoutAge(text: string): string {
  return text.trim().replace(/, -?\d+ \w+ ago$/m, ', AGE ago');
}

/** @returns a text with single spaces: the page lays out its lines in another way */
function wordsOf(text: string): string {
  return text.split(/\s+/).join(' ').trim();
}
