import { Readable } from 'node:stream';
import type { Browser, Page } from 'playwright-core';
import { postObject } from '../../../src/client/post-object.ts';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import { startChromium } from '../../support/browser.ts';
import { BUCKET_KEY } from '../../support/built-gateway.ts';
import type { ConsolePage } from '../../support/console.ts';
import { downloadBy, openConsole } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';

const MARKUP = `<img src=x onerror="document.title='ran'"><script>document.title='ran'</script>'&amp;.bin`;

const KEYS: readonly (readonly [name: string, key: string])[] = [
  ['markup', MARKUP],
  ['1,023 bytes without a break', 'x'.repeat(1023)],
  ['1,023 bytes of Chinese', '固'.repeat(341)],
  ['a language from right to left', 'קושחה/\u202egpj.bin'],
  ['dots between slashes', 'a/../b'],
  ['dots at the start and the end', '../a/./b/..'],
  ['dots that are percent-encoded', '%2e%2e'],
  ['the marks of a query and a hash', 'a?state=stored#/packages'],
];

/** Of the whole key; a URL cannot address them. */
const DOTS = ['.', '..'];

/** Uploads a file with a form that the holder of the bucket key has signed: its policy allows every key. */
async function store(url: string, key: string): Promise<void> {
  const conditions = [{ bucket: 'iotx-ota' }];
  const document = JSON.stringify({ expiration: '2099-01-01T00:00:00.000Z', conditions });
  const policy = Buffer.from(document).toString('base64');
  const signature = createBucketKey(BUCKET_KEY.id, BUCKET_KEY.secret).signPostV1(policy);
  const fields = { key, policy, OSSAccessKeyId: BUCKET_KEY.id, signature };
  const bytes = contentOf(key);
  const file = { name: 'firmware.bin', size: bytes.length, bytes: Readable.from([bytes]) };
  expect((await postObject(url, Object.entries(fields), file)).status).toBeLessThan(300);
}

function contentOf(key: string): Buffer {
  return Buffer.from(`the file of ${key}`);
}

describeWith('chromium', 'hostile key names in the console, in Chromium', () => {
  const gateway = gatewayForSuite();
  let browser: Browser;
  let opened: ConsolePage;

  beforeAll(async () => {
    browser = await startChromium();
    opened = await openConsole(browser, gateway.url);
    await opened.page.evaluate(`window.isSame = true`);
  });
  afterAll(() => browser.close());

  it.each(KEYS)('are text, and can be claimed and downloaded: %s', async (_name, key) => {
    const { page } = opened;
    await openFromList(page, gateway.url, key);
    await page.getByRole('button', { name: 'Claim', exact: true }).click();
    const dialog = page.getByRole('dialog');
    const name = `lamp-${String(KEYS.findIndex(([, each]) => each === key))}`;
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Version').fill('1');
    await dialog.getByRole('button', { name: 'Claim' }).click();
    await page.getByRole('button', { name: 'Make a download link' }).click();
    const link = page.locator('a[download]');
    await link.waitFor();
    expect(await findOverflow(page)).toEqual([]);
    expect(await downloadBy(page, () => link.click())).toEqual(contentOf(key));

    await page.getByRole('link', { name }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Make links' }).click();
    await page.getByText('curl').first().waitFor();
    expect(await findOverflow(page)).toEqual([]);
    await expectUnharmed(opened);
  });

  it.each(DOTS)('can be deleted: %s', async (key) => {
    const { page } = opened;
    await openFromList(page, gateway.url, key);
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('it can be neither claimed nor downloaded').waitFor();
    await expectUnharmed(opened);
  });
});

/** Stores a file, sees it in the list, and opens its page from there. */
async function openFromList(page: Page, url: string, key: string): Promise<void> {
  await page.evaluate(`location.hash = '#/uploads'`);
  await page.getByRole('heading', { name: 'Uploads', level: 1 }).waitFor();
  await store(url, key);
  const link = page.locator('td, th').getByRole('link', { name: key, exact: true });
  await link.waitFor();
  expect(await link.textContent()).toBe(key);
  expect(await findOverflow(page)).toEqual([]);
  await link.click();
  await page.getByRole('heading', { name: 'Upload', level: 1, exact: true }).waitFor();
  await page.getByRole('heading', { name: 'Time line' }).waitFor();
  expect(await page.locator('.upload-key bdi').textContent()).toBe(key);
  expect(await findOverflow(page)).toEqual([]);
}

/** @returns the widths at which the page is wider than the window */
async function findOverflow(page: Page): Promise<number[]> {
  const found: number[] = [];
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 720 });
    const isWider = await page.evaluate<boolean>(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth',
    );
    if (isWider) found.push(width);
  }
  return found;
}

async function expectUnharmed({ page, problems }: ConsolePage): Promise<void> {
  expect(await page.title()).not.toBe('ran');
  expect(await page.evaluate('window.isSame')).toBe(true);
  expect(await page.locator('main img').count()).toBe(0);
  expect(problems).toEqual([]);
}
