import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { openConsole } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';

describeWith('chromium', 'the menu of the account', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let browser: Browser;
  let gateway: BuiltGateway;

  beforeAll(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'));
    browser = await startChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  });

  it('stays inside of the window, however wide it is', async () => {
    await using opened = await openConsole(browser, gateway.url);
    const { page } = opened;
    await page.getByLabel('Account default').click();
    const items = page.locator('.menu-items');
    for (const width of [320, 480, 640, 700, 760, 900, 1280]) {
      await page.setViewportSize({ width, height: 700 });
      const box = await items.boundingBox();
      expect(box).not.toBeNull();
      const { width: own = 0, x = -1 } = box ?? {};
      expect([width, x >= 0, x + own <= width]).toEqual([width, true, true]);
    }
  });
});
