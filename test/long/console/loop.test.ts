import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Locator, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import type { ConsolePage } from '../../support/console.ts';
import { downloadBy, dropFiles, limitUploads, openConsole } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';

const FILES = [
  { name: 'app.bin', size: 3_000_001 },
  { name: 'model.bin', size: 1_500_000 },
];

describeWith(['chromium', 'md5sum'], 'the whole loop in the console', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let browser: Browser;
  let gateway: BuiltGateway;
  let opened: ConsolePage;
  let page: Page;
  let paths: string[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    paths = await Promise.all(
      FILES.map(async ({ name, size }) => {
        const path = join(folder.path, name);
        await writeFile(path, randomBytes(size));
        return path;
      }),
    );
    gateway = await startBuiltGateway(join(folder.path, 'data'));
    browser = await startChromium();
    opened = await openConsole(browser, gateway.url);
    page = opened.page;
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  });

  it('stores two dropped files with the digests of md5sum, and shows how far they are', async () => {
    await page.getByText('There are no uploads yet.').waitFor();
    const limit = await limitUploads(page, 400_000);
    await dropFiles(page, paths);

    const progress = page.getByRole('progressbar', { name: 'app.bin' });
    const first = await nextProgress(progress, 0);
    const second = await nextProgress(progress, first);
    expect(second).toBeLessThan(1);
    await page
      .getByText(/% sent · [\d.]+ [KM]iB\/s · \d+ s left/)
      .first()
      .waitFor();
    await limit.lift();

    for (const path of paths) {
      const { stdout } = await promisify(execFile)('md5sum', [path]);
      const name = `MD5 ${stdout.slice(0, 32)}`;
      await page.getByRole('link', { name, exact: true }).waitFor();
    }
    await page
      .getByRole('row', { name: /stored/ })
      .nth(1)
      .waitFor();
    // The number beside the name of the screen.
    await page.getByRole('link', { name: 'Uploads 2' }).waitFor();
  });

  it('claims both as one package', async () => {
    await page.getByLabel('Select all shown').check();
    await page.getByRole('button', { name: 'Claim as one' }).click();
    const dialog = page.getByRole('dialog', { name: 'Claim 2 uploads as one package' });
    await dialog.getByLabel('Name').fill('lamp');
    await dialog.getByLabel('Version').fill('1.0.0');
    await dialog.getByRole('button', { name: 'Claim' }).click();
    await page.getByRole('heading', { name: 'Claimed' }).waitFor();
    await page.getByText('2 done').waitFor();
    await page
      .getByRole('row', { name: /claimed .* kept lamp 1\.0\.0/ })
      .nth(1)
      .waitFor();
    await page.getByRole('link', { name: 'Packages 1' }).waitFor();
  });

  it('downloads both by their links, byte for byte', async () => {
    await page.getByRole('link', { name: 'lamp 1.0.0' }).first().click();
    await page.getByRole('heading', { name: 'lamp', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Make links' }).click();
    const links = page.getByRole('listitem').getByRole('link', { name: /^Download / });
    await links.nth(1).waitFor();
    expect(await links.count()).toBe(2);
    const contents: Buffer[] = [];
    for (const link of await links.all()) contents.push(await downloadBy(page, () => link.click()));
    const expected = await Promise.all(paths.map((path) => readFile(path)));
    expect(expected.every((bytes) => contents.some((found) => found.equals(bytes)))).toBe(true);
    expect(opened.problems).toEqual([]);
  });

  it('claims a file from its row among the uploads of the page', async () => {
    await page.getByRole('link', { name: /^Uploads/ }).click();
    await dropFiles(page, paths.slice(1));
    const row = page.getByRole('list', { name: 'Uploads of this page' }).getByRole('listitem');
    await row.getByRole('button', { name: 'Claim: model.bin' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('pump');
    await dialog.getByLabel('Version').fill('2.0.0');
    await dialog.getByRole('button', { name: 'Claim' }).click();
    await row.filter({ hasText: 'model.bin' }).getByText('claimed').first().waitFor();
    await page.getByRole('link', { name: 'Packages 2' }).waitFor();
    expect(opened.problems).toEqual([]);
  });
});

/** @returns how much is sent, from 0 to 1, once it is more than before */
async function nextProgress(bar: Locator, before: number): Promise<number> {
  let sent = before;
  await eventually(async () => {
    sent = await bar.evaluate((element) => Number(Reflect.get(element, 'value')));
    return sent > before;
  });
  return sent;
}
