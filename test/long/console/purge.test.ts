import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import type { ConsolePage } from '../../support/console.ts';
import { openConsole } from '../../support/console.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { describeWith } from '../../support/programs.ts';

const FILE = { name: 'old.bin', mimeType: 'application/octet-stream' };
const MIB = 1024 * 1024;

describeWith('chromium', 'an upload that nobody claims, in the console', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let browser: Browser;
  let gateway: BuiltGateway;
  let opened: ConsolePage;
  let uploads: Page;
  let storage: Page;
  let about: Page;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const environment = {
      OTA_GATEWAY_TEST_MODE: 'on',
      // Only the tests purge.
      OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *',
    };
    const dataDir = join(folder.path, 'data');
    // Measures at its start how much there is: the upload of before.
    const before = await startBuiltGateway(dataDir, environment);
    await post(await grantFrom(before.url), patternBytes(3 * MIB));
    await before.stop();
    gateway = await startBuiltGateway(dataDir, environment);
    browser = await startChromium();
    opened = await openConsole(browser, gateway.url);
    uploads = opened.page;
    storage = await opened.context.newPage();
    await storage.goto(`${gateway.url}/_gateway/console/#/storage`);
    about = await opened.context.newPage();
    await about.goto(`${gateway.url}/_gateway/console/#/about`);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  });

  it('counts down, and the storage has it', async () => {
    const buffer = patternBytes(MIB);
    await uploads.locator('input[type=file]').setInputFiles({ ...FILE, buffer });
    const row = rowOf(uploads, '1.0 MiB');
    await row.getByText(/^(?:1:00:00|59:\d\d)$/).waitFor();
    const first = await countdownOf(row);
    await eventually(async () => (await countdownOf(row)) < first);
    // The number of the files, beside their bytes.
    await figureOf(storage, 'Used').getByText('2 files').waitFor();
    await figureOf(storage, 'Used').getByText('4.0 MiB').waitFor();
    expect(await heightsOf(storage)).toEqual([0.6, 0.8]);
  });

  it('is due once the clock has moved 61 minutes, by the controls of About', async () => {
    await about.getByRole('button', { name: 'Move the clock 61 minutes on' }).click();
    await about.getByText(/^The clock shows /).waitFor({ state: 'attached' });
    await about.getByText('the gateway is 1 h 1 min ahead').waitFor();
    await rowOf(uploads, '1.0 MiB').getByText('with the next purge').waitFor();
    await rowOf(uploads, '3.0 MiB').getByText('with the next purge').waitFor();
  });

  it('is purged before the eyes, and the storage falls', async () => {
    await about.getByRole('button', { name: 'Purge now' }).click();
    await about.getByText('Purged: 2 files.').waitFor({ state: 'attached' });
    await rowOf(uploads, '1.0 MiB').getByText('not claimed in time').waitFor();
    await uploads.getByRole('link', { name: 'Uploads 0' }).waitFor();
    // The upload of the panel says the same.
    await uploads.getByRole('list', { name: 'Uploads of this page' }).getByText('purged').waitFor();

    await figureOf(storage, 'Used').getByText('0 files').waitFor();
    await storage.getByRole('row', { name: 'not claimed in time 2 4.0 MiB' }).waitFor();
    expect(await heightsOf(storage)).toEqual([0.6, 0]);
    await storage.getByText('As a table').click();
    const times = storage.getByRole('table', { name: 'Used over time' }).getByRole('row');
    await times.nth(1).getByText('0 B').last().waitFor();
    await times.nth(2).getByText('3.0 MiB').last().waitFor();
    expect(opened.problems).toEqual([]);
  });
});

function rowOf(page: Page, size: string): Locator {
  return page.getByRole('row').filter({ hasText: size });
}

function figureOf(page: Page, name: string): Locator {
  return page.locator('.figure').filter({ hasText: name });
}

/** @returns the seconds that are left */
async function countdownOf(row: Locator): Promise<number> {
  const text = await row.locator('.countdown .number').innerText();
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** @returns how high the chart is at each sample, as a share of its height */
async function heightsOf(page: Page): Promise<number[]> {
  const path = await page.locator('.chart .area.series-stored').getAttribute('d');
  const points = [...(path ?? '').matchAll(/[ML]([\d.]+),([\d.]+)/g)];
  // The upper line comes first, then the lower one from right to left.
  return points.slice(0, points.length / 2).map(([, , y]) => 1 - Number(y) / 240);
}
