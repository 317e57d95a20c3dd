import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import { eventually } from '../../support/built-gateway.ts';
import { openConsole } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';

jest.setTimeout(60_000);

/** One more than the connections that a browser opens to one host. */
const TABS = 7;
const LIVE = 'live';
const MOVED = 'not live: open in too many tabs';

describeWith('chromium', 'the console in many tabs', () => {
  const gateway = gatewayForSuite();
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it('loads in each, is live in the four newest ones, and gives the connection of a hidden one to another', async () => {
    await using opened = await openConsole(browser, gateway.url);
    const tabs = [opened.page];
    await says(opened.page, LIVE);
    while (tabs.length < TABS) {
      const tab = await opened.context.newPage();
      await tab.goto(opened.page.url());
      await says(tab, LIVE);
      tabs.push(tab);
    }
    const [older, newer] = [tabs.slice(0, -4), tabs.slice(-4)];
    for (const tab of older) await says(tab, MOVED);
    for (const tab of newer) await says(tab, LIVE);

    let closed = 0;
    opened.context.on('requestfailed', (request) => {
      if (request.url().includes('/_gateway/api/events')) closed += 1;
    });
    for (const tab of newer) await hide(tab, true);
    for (const tab of newer) await says(tab, 'paused while hidden');
    await eventually(() => closed === newer.length);

    for (const tab of older) {
      await hide(tab, true);
      await hide(tab, false);
      await says(tab, LIVE);
    }
    for (const tab of newer) await says(tab, 'paused while hidden');
    expect(opened.problems).toEqual([]);
  });
});

/** Waits until a tab says whether it is live. */
function says(tab: Page, text: string): Promise<void> {
  return tab.getByRole('banner').getByText(text, { exact: true }).waitFor();
}

/** Makes a page believe that its tab is hidden or shown: for a headless browser all of them are shown. */
async function hide(tab: Page, isHidden: boolean): Promise<void> {
  await tab.evaluate(
    `Object.defineProperty(document, 'hidden', { configurable: true, value: ${String(isHidden)} });
     document.dispatchEvent(new Event('visibilitychange'));`,
  );
}
