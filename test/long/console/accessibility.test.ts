import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { axeProblems, prepareAxe } from '../../support/axe.ts';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { openConsole } from '../../support/console.ts';
import { SCREENS, SIGN_IN_SCREENS } from '../../support/console-screens.ts';
import type { ConsoleScreen } from '../../support/console-screens.ts';
import { GUEST_KEY, startWorld } from '../../support/console-world.ts';
import type { World } from '../../support/console-world.ts';
import { describeWith } from '../../support/programs.ts';

const WIDE = { width: 1280, height: 720 };
/** A phone, and what is left of the window at a zoom of 200 %. */
const PHONE = { width: 320, height: 640 };
const NARROW = [{ width: 640, height: 360 }, PHONE];

describeWith('chromium', 'the accessibility of the console', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let browser: Browser;
  let world: World;
  let empty: BuiltGateway;
  /** Signed in, for each kind of screen. */
  let contexts: Record<'full' | 'empty' | 'guest' | 'nobody', BrowserContext>;

  beforeAll(async () => {
    folder = await temporaryFolder();
    world = await startWorld(folder.path);
    empty = await startBuiltGateway(join(folder.path, 'empty'));
    browser = await startChromium();
    const { url } = world.gateway;
    const [full, guest, none] = await Promise.all([
      openConsole(browser, url),
      openConsole(browser, url, { accessKey: GUEST_KEY }),
      openConsole(browser, empty.url),
    ]);
    const nobody = await browser.newContext({ locale: 'en-US' });
    contexts = { full: full.context, guest: guest.context, empty: none.context, nobody };
    // A browser has six connections to a host.
    for (const { page } of [full, guest, none]) await page.close();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    expect(await world.gateway.stop()).toBe(0);
    expect(await empty.stop()).toBe(0);
    await folder.remove();
  });

  async function open({ broken, hash, of = 'full', prepare }: ConsoleScreen): Promise<Page> {
    const page = await contexts[of].newPage();
    await prepareAxe(page);
    await page.setViewportSize(WIDE);
    if (broken !== undefined) await page.route(`**/api/${broken}*`, (route) => route.abort());
    const { url } = of === 'empty' ? empty : world.gateway;
    await page.goto(`${url}/_gateway/console/${hash(world)}`);
    await prepare(page);
    return page;
  }

  const ALL = [...SIGN_IN_SCREENS, ...SCREENS];
  it.each(ALL)('passes axe in both themes and fits a narrow window: $name', async (screen) => {
    await using page = await open(screen);
    const found: unknown[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      found.push(...(await axeProblems(page)).map((problem) => `${colorScheme}: ${problem}`));
    }
    for (const size of NARROW) {
      await page.setViewportSize(size);
      found.push(...(await findOverflow(page)).map((problem) => ({ ...size, problem })));
    }
    expect(found).toEqual([]);
  });

  it.each(SIGN_IN_SCREENS)('passes axe on a phone: $name', async (screen) => {
    await using page = await open(screen);
    await page.setViewportSize(PHONE);
    expect(await axeProblems(page)).toEqual([]);
  });
});

/** @returns the elements that reach beyond the right side of the window */
function findOverflow(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 0.5)
      .map((element) => element.outerHTML.slice(0, 120));
  })()`);
}
