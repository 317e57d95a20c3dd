import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { downloadBy } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';

/** More than any screen of these tests has. */
const MAX_TABS = 40;

describeWith('chromium', 'the console without a mouse', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let browser: Browser;
  let gateway: BuiltGateway;
  let page: Page;

  beforeAll(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'));
    browser = await startChromium();
    page = await browser.newPage({ locale: 'en-US' });
    page.setDefaultTimeout(10_000);
    await page.goto(`${gateway.url}/_gateway/console/`);
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  });

  it('puts the focus on the title after signing in and after each change of the screen', async () => {
    await expectFocus(page.getByRole('heading', { name: 'Sign in', level: 1 }));
    await tabTo(page, page.getByLabel('Access key'));
    await page.keyboard.type('testid');
    await tabTo(page, page.getByLabel('Secret'));
    await page.keyboard.type('testsecret');
    await page.keyboard.press('Enter');
    await expectFocus(page.getByRole('heading', { name: 'Uploads', level: 1 }));
    for (const name of ['Packages', 'Refusals', 'Storage', 'Uploads']) {
      await backTo(page, page.getByRole('navigation').getByRole('link', { name }).first());
      await page.keyboard.press('Enter');
      await expectFocus(page.getByRole('heading', { name, level: 1 }));
    }
  });

  it('uploads, claims and downloads', async () => {
    const bytes = randomBytes(100_000);
    const file = { mimeType: 'application/octet-stream', buffer: bytes };
    // Begins before the key, because the browser has to be told first.
    const chosen = page.waitForEvent('filechooser');
    await tabTo(page, page.getByRole('button', { name: 'Choose files' }));
    await page.keyboard.press('Enter');
    const chooser = await chosen;
    await chooser.setFiles(['a.bin', 'b.bin'].map((name) => ({ name, ...file })));
    await page
      .getByRole('row', { name: /stored/ })
      .nth(1)
      .waitFor();

    await tabTo(page, page.getByLabel('Select all shown'));
    await page.keyboard.press('Space');
    const claim = page.getByRole('button', { name: 'Claim as one' });
    await tabTo(page, claim);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await expectFocus(claim);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await expectFocus(dialog.getByLabel('Name'));
    await page.keyboard.type('lamp');
    await tabTo(page, dialog.getByLabel('Version'));
    await page.keyboard.type('1.0.0');
    await page.keyboard.press('Enter');
    await expectFocus(page.getByRole('heading', { name: 'Claimed' }));

    await tabTo(page, page.getByRole('link', { name: 'lamp 1.0.0' }).first());
    await page.keyboard.press('Enter');
    await expectFocus(page.getByRole('heading', { name: 'lamp', level: 1 }));
    await tabTo(page, page.getByRole('button', { name: 'Make links' }));
    await page.keyboard.press('Enter');
    const link = page.getByRole('link', { name: /^Download / }).first();
    await link.waitFor();
    await tabTo(page, link);
    expect(await downloadBy(page, () => page.keyboard.press('Enter'))).toEqual(bytes);
  });

  it('opens a dialog again at the moment when the last one has given the focus back', async () => {
    await backTo(page, page.getByRole('navigation').getByRole('link', { name: 'Storage' }).first());
    await page.keyboard.press('Enter');
    await expectFocus(page.getByRole('heading', { name: 'Storage', level: 1 }));
    // The dialog has a button of this name, too.
    const purge = page.getByRole('button', { name: 'Purge now' }).first();
    await tabTo(page, purge);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    // As fast as a key can be.
    await purge.evaluate((button) => {
      button.addEventListener('focus', () => button.dispatchEvent(new Event('click')), {
        once: true,
      });
    });
    await page.keyboard.press('Escape');
    await expectFocus(dialog.getByRole('button', { name: 'Cancel' }));
    await page.keyboard.press('Escape');
    await expectFocus(purge);
  });

  it('names the language of its texts', async () => {
    const html = page.locator('html');
    expect(await html.getAttribute('lang')).toBe('en');
    await backTo(page, page.getByLabel('Account default'));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByLabel('Language'));
    await page.keyboard.press('ArrowDown');
    await page.getByText('OTA 上传网关').waitFor();
    expect(await html.getAttribute('lang')).toBe('zh-CN');
    await page.keyboard.press('Escape');
    await expectFocus(page.locator('.menu summary'));
  });

  it('marks the present screen and the focus in forced colors', async () => {
    await page.emulateMedia({ forcedColors: 'active' });
    const present = page.locator('nav [aria-current]');
    expect(await styleOf(present, 'outlineStyle')).toBe('solid');
    await page.keyboard.press('Tab');
    expect(await styleOf(page.locator(':focus'), 'outlineStyle')).not.toBe('none');
  });
});

/** Presses Tab until an element has the focus, which must be seen at each step. */
function tabTo(page: Page, target: Locator): Promise<void> {
  return step(page, target, 'Tab');
}

function backTo(page: Page, target: Locator): Promise<void> {
  return step(page, target, 'Shift+Tab');
}

async function step(page: Page, target: Locator, key: string): Promise<void> {
  for (let pressed = 0; pressed < MAX_TABS; pressed += 1) {
    await page.keyboard.press(key);
    const focus = page.locator(':focus');
    // The focus is in the browser itself between the end of the page and its beginning.
    if ((await focus.count()) === 0) continue;
    expect(await styleOf(focus, 'outlineStyle')).not.toBe('none');
    if (await isFocused(target)) return;
  }
  throw new Error(`the keyboard does not reach ${String(target)}`);
}

function styleOf(element: Locator, name: string): Promise<unknown> {
  return element.evaluate((each, asked) => {
    const view: unknown = Reflect.get(each.ownerDocument, 'defaultView');
    return Reflect.get(Object(view).getComputedStyle(each), asked);
  }, name);
}

function isFocused(element: Locator): Promise<boolean> {
  return element.evaluate((each) => Object.is(each.ownerDocument.activeElement, each));
}

async function expectFocus(element: Locator): Promise<void> {
  await element.and(element.page().locator(':focus')).waitFor();
}
