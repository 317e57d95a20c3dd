import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import { temporaryFolder } from '../../support/built-gateway.ts';
import { openConsole } from '../../support/console.ts';
import { NOW, startWorld } from '../../support/console-world.ts';
import type { World } from '../../support/console-world.ts';
import { describeWith } from '../../support/programs.ts';
import { shrinkPng } from '../../support/small-png.ts';

const DOCS = join(__dirname, '..', '..', '..', 'docs');
const FOLDER = join(DOCS, 'console');
/** Set it to take them again, after a change of the page. */
const isWanted = process.env['UPDATE_SCREENSHOTS'] === '1';
const MAX_BYTES = 80 * 1024;
/** What is below is as above. */
const MAX_HEIGHT = 1030;

interface Screenshot {
  readonly name: string;
  readonly hash: (world: World) => string;
  /** Is seen when the screen is complete. */
  readonly shown: string;
  readonly options?: BrowserContextOptions;
  readonly language?: 'zh';
  readonly prepare?: (page: Page) => Promise<void>;
}

const uploads = { hash: () => '#/uploads', shown: 'lamp' };
const NARROW = { width: 390, height: 844 };
const SCREENSHOTS: readonly Screenshot[] = [
  { ...uploads, name: 'uploads' },
  { ...uploads, name: 'uploads-dark', options: { colorScheme: 'dark' } },
  { ...uploads, name: 'uploads-narrow', options: { viewport: NARROW } },
  { ...uploads, name: 'uploads-chinese', language: 'zh' },
  {
    ...{ name: 'claim', hash: () => '#/uploads?state=stored', shown: 'soon' },
    prepare: async (page) => {
      await page.getByLabel('Select all shown').check();
      await page.getByRole('button', { name: 'Claim as one' }).click();
      await page.getByLabel('Name', { exact: true }).fill('lamp');
      await page.getByLabel('Version', { exact: true }).last().fill('1.1.0');
    },
  },
  {
    ...{ name: 'upload', shown: 'SHA-256' },
    hash: ({ keys }) => `#/uploads/${encodeURIComponent(keys.stored)}`,
  },
  { name: 'packages', hash: () => '#/packages', shown: 'valve' },
  {
    ...{ name: 'package', shown: 'lamp' },
    hash: ({ firmwareId }) => `#/packages/${firmwareId}`,
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Make links' }).click();
      await page.getByText('curl').first().waitFor();
    },
  },
  { name: 'refusals', hash: () => '#/refusals', shown: 'SignatureDoesNotMatch' },
  {
    ...{ name: 'refusal', shown: 'What happened' },
    hash: ({ refusalId }) => `#/refusals/${refusalId}`,
  },
  { name: 'storage', hash: () => '#/storage', shown: 'Largest' },
  {
    name: 'storage-dark',
    hash: () => '#/storage',
    shown: 'Largest',
    options: { colorScheme: 'dark' },
  },
  { name: 'about', hash: () => '#/about', shown: 'Test mode' },
];
const NAMES = ['sign-in', ...SCREENSHOTS.map(({ name }) => name)];

if (isWanted) {
  describeWith('chromium', 'the screenshots of docs/console.md', () => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>;
    let browser: Browser;
    let world: World;

    beforeAll(async () => {
      await mkdir(FOLDER, { recursive: true });
      folder = await temporaryFolder();
      world = await startWorld(folder.path);
      browser = await startChromium();
    }, 60_000);

    afterAll(async () => {
      await browser.close();
      await world.gateway.stop();
      await folder.remove();
    });

    it('are taken of the screen to sign in', async () => {
      const page = await browser.newPage({ viewport: { width: 1120, height: 560 } });
      await page.goto(`${world.gateway.url}/_gateway/console/`);
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      await take(page, 'sign-in');
    });

    it.each(SCREENSHOTS)('are taken: $name', async (screenshot) => {
      const { hash, language = 'en', name, options, prepare, shown } = screenshot;
      const size = { viewport: { width: 1120, height: 720 }, timezoneId: 'UTC' };
      const given = { ...size, hash: hash(world), ...options };
      await using opened = await openConsole(browser, world.gateway.url, given);
      const { page } = opened;
      await page.evaluate(`localStorage.setItem('ota-gateway.language', '${language}')`);
      // The clock of the gateway stands still, so that of the page must, too.
      await page.clock.setFixedTime(NOW);
      await page.reload();
      await page.getByText(shown).first().waitFor();
      await prepare?.(page);
      await page.mouse.move(0, 0);
      await page.locator('.live-live').waitFor();
      await take(page, name);
    });
  });
}

describe('the screenshots of docs/console.md', () => {
  it.each(NAMES)('are there, and small: %s', async (name) => {
    const { size } = await stat(join(FOLDER, `${name}.png`));
    expect(size).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('are all in the page, each with a text', async () => {
    const text = await readFile(join(DOCS, 'console.md'), 'utf8');
    const shown = [...text.matchAll(/!\[[^\]]{10,}\]\(console\/([\w-]+)\.png\)/g)];
    expect(shown.map(([, name]) => name).sort()).toEqual([...NAMES].sort());
    expect(shown.every(([, name]) => existsSync(join(FOLDER, `${name ?? ''}.png`)))).toBe(true);
  });
});

async function take(page: Page, name: string): Promise<void> {
  const { height, width } = await page.locator('body').evaluate((body) => ({
    width: Number(Reflect.get(body, 'clientWidth')),
    height: Number(Reflect.get(body, 'scrollHeight')),
  }));
  const clip = { x: 0, y: 0, width, height: Math.min(height, MAX_HEIGHT) };
  const png = await page.screenshot({ clip, fullPage: true, animations: 'disabled' });
  await writeFile(join(FOLDER, `${name}.png`), shrinkPng(png));
}
