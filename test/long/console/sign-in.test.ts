import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { openConsole } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';

describeWith('chromium', 'the console, in Chromium', () => {
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

  it('signs in with an access key, and is live', async () => {
    await using opened = await openConsole(browser, gateway.url);
    await opened.page.getByText('live', { exact: true }).waitFor();
    expect(opened.problems).toEqual([]);
    expect(opened.requested.every((url) => url.startsWith(gateway.url))).toBe(true);
  });
});
