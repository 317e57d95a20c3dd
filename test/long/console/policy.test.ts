import type { Browser } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import { eventually } from '../../support/built-gateway.ts';
import { openConsole } from '../../support/console.ts';
import { claim, grantFrom, post } from '../../support/loop.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';

jest.setTimeout(60_000);

describeWith('chromium', 'every screen of the console', () => {
  const gateway = gatewayForSuite();
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it('keeps its content security policy, and sends no request to another host', async () => {
    const { url } = gateway;
    const [claimed, stored] = [await grantFrom(url), await grantFrom(url)];
    for (const grant of [claimed, stored]) await post(grant, Buffer.from('firmware'));
    const firmwareId = await claim(url, claimed, 'demo');
    await post({ ...stored, signature: 'wrong' }, Buffer.from('firmware'));

    await using opened = await openConsole(browser, url);
    const { context, page, problems, requested } = opened;
    const websockets: string[] = [];
    page.on('websocket', (socket) => websockets.push(socket.url()));
    await page.addInitScript(
      `globalThis.violations = [];
       addEventListener('securitypolicyviolation', ({ violatedDirective }) => violations.push(violatedDirective));`,
    );
    await page.reload();
    const screens = [
      ['packages', 'Packages'],
      [`packages/${firmwareId}`, 'demo'],
      ['refusals', 'Refusals'],
      ['storage', 'Storage'],
      ['about', 'About'],
      ['none', 'OTA Upload Gateway'],
      [`uploads/${encodeURIComponent(stored.key)}`, 'Upload'],
      ['uploads', 'Uploads'],
    ] as const;
    for (const [screen, title] of screens) {
      await page.evaluate(`location.hash = '#/${screen}'`);
      await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
      await eventually(async () => (await page.getByText('Reading …').count()) === 0);
    }
    const file = { name: 'app.bin', mimeType: 'text/plain', buffer: Buffer.from('firmware') };
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByRole('list').getByText('stored').waitFor();

    const hosts = new Set(requested.map((each) => new URL(each).origin));
    expect([...hosts]).toEqual([url]);
    expect(websockets).toEqual([]);
    expect(problems).toEqual([]);
    expect(await page.evaluate('violations')).toEqual([]);
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
    expect(await context.cookies()).toHaveLength(1);

    // Such a thing would have been seen.
    await page.evaluate("document.body.setAttribute('style', 'color: red')");
    expect(await page.evaluate('violations')).toEqual(['style-src-attr']);
  });
});
