import type { Browser, Page } from 'playwright-core';
import { startWithAccounts } from '../../support/accounts.ts';
import { startChromium, untilTrue } from '../../support/browser.ts';
import { openConsole, signIn } from '../../support/console.ts';
import { apiOf, codeOf } from '../../support/loop.ts';
import { createOTAFirmware } from '../../../src/client/api-client.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';

const ANN = { id: 'ann-key', secret: 'ann-secret' };
const BOB = { id: 'bob-key', secret: 'bob-secret' };
const OPS = { id: 'ops-key', secret: 'ops-secret' };

/** Calls the operator API as the page does. */
const CALL = `async ([method, path, body]) => {
  const headers = { 'x-gateway-console': '1', 'content-type': 'application/json' };
  const response = await fetch('../api/' + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}`;

/** Keeps every event that the gateway sends. */
const LISTEN = `new Promise((resolve, reject) => {
  window.seen = [];
  const source = new EventSource('../api/events');
  for (const type of ['upload', 'package', 'usage', 'request', 'refusal', 'lost']) {
    source.addEventListener(type, ({ data }) => window.seen.push(data));
  }
  source.onopen = () => resolve(true);
  source.onerror = reject;
})`;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function call(page: Page, method: string, path: string, body?: object): Promise<Answer> {
  return page.evaluate<Answer>(`(${CALL})(${JSON.stringify([method, path, body])})`);
}

async function upload(page: Page, name: string): Promise<string> {
  await show(page, '#/uploads');
  const file = { name, mimeType: 'application/octet-stream', buffer: Buffer.from(name) };
  await page.locator('input[type=file]').setInputFiles(file);
  const item = page.getByRole('listitem').filter({ hasText: name });
  const href = await item.getByRole('link').getAttribute('href');
  return decodeURIComponent((href ?? '').replace('#/uploads/', ''));
}

const show = (page: Page, hash: string): Promise<unknown> =>
  page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

describeWith('chromium', 'accounts in the console, in Chromium', () => {
  const gateway = gatewayForSuite((folder) =>
    startWithAccounts(folder, [
      { id: 'ann', accessKeys: [ANN] },
      { id: 'bob', accessKeys: [BOB] },
      { id: 'ops', operator: true, accessKeys: [OPS] },
    ]),
  );
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it('show nothing of one another, and an operator sees all', async () => {
    await using ann = await openConsole(browser, gateway.url, { accessKey: ANN });
    await using bob = await openConsole(browser, gateway.url, { accessKey: BOB });
    await using ops = await openConsole(browser, gateway.url, { accessKey: OPS });
    for (const { page } of [bob, ops]) await page.evaluate(LISTEN);
    const [stored, claimed] = [await upload(ann.page, 'a.bin'), await upload(ann.page, 'b.bin')];
    const wish = { name: 'of-ann', version: '1', keys: [claimed] };
    const made = await call(ann.page, 'POST', 'packages', wish);
    expect(made.status).toBe(201);
    const wrong = { FirmwareName: 'x', DestVersion: '1', FirmwareUrl: 'http://other.test/a.bin' };
    expect(await codeOf(createOTAFirmware(apiOf(gateway.url, ANN), wrong))).not.toBe('ok');
    const own = await upload(bob.page, 'c.bin');
    for (const { page } of [bob, ops]) {
      await untilTrue(
        page,
        `window.seen.some((text) => text.includes(${JSON.stringify(own)}) && text.includes('"stored"'))`,
      );
    }
    const seenBy = (page: Page) => page.evaluate<string[]>('window.seen');
    const isAnns = (text: string): boolean => /"ann"|of-ann|ann-key/.test(text);
    expect((await seenBy(bob.page)).filter(isAnns)).toEqual([]);
    const all = (await seenBy(ops.page)).filter(isAnns).join('\n');
    for (const text of [stored, claimed, 'of-ann', 'InvalidFirmwareUrl']) {
      expect(all).toContain(text);
    }
    const lists = ['uploads', 'packages', 'refusals'];
    for (const list of lists) {
      const { body } = await call(bob.page, 'GET', `${list}?account=ann`);
      expect(JSON.stringify(body)).not.toMatch(/"ann"|of-ann/);
      expect(JSON.stringify((await call(ops.page, 'GET', list)).body)).toMatch(/"ann"/);
    }
    for (const [method, path] of [
      ['GET', `uploads/${encodeURIComponent(stored)}`],
      ['GET', `packages/${String(made.body['firmwareId'])}`],
      ['DELETE', `uploads/${encodeURIComponent(stored)}`],
      ['DELETE', `packages/${String(made.body['firmwareId'])}`],
      ['GET', `packages/${String(made.body['firmwareId'])}/message`],
    ] as const) {
      expect([path, (await call(bob.page, method, path)).status]).toEqual([path, 404]);
    }
  });

  it('cannot purge and see no storage, which an operator can', async () => {
    await using bob = await openConsole(browser, gateway.url, {
      accessKey: BOB,
      hash: '#/storage',
    });
    await bob.page.getByText('This screen is for operators.').waitFor();
    expect(await bob.page.getByRole('link', { name: 'Storage' }).count()).toBe(0);
    expect((await call(bob.page, 'POST', 'purge', {})).status).toBe(403);
    expect((await call(bob.page, 'GET', 'usage')).status).toBe(403);
    await using ops = await openConsole(browser, gateway.url, { accessKey: OPS });
    await ops.page.getByRole('link', { name: 'Storage' }).click();
    await ops.page.getByRole('heading', { level: 1, name: 'Storage' }).waitFor();
    expect((await call(ops.page, 'POST', 'purge', {})).status).toBe(200);
  });

  it('leave nothing in the page for the next one that signs in', async () => {
    await using ann = await openConsole(browser, gateway.url, { accessKey: ANN });
    const { page } = ann;
    await upload(page, 'secret-project.bin');
    await page.getByLabel('Name of the package').fill('secret-name');
    await page.getByLabel('Account ann').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Access key').waitFor();
    await signIn(page, BOB);
    await page.getByRole('button', { name: 'Choose files' }).waitFor();
    expect(await page.content()).not.toMatch(/secret-project|secret-name/);
    expect(await page.getByLabel('Name of the package').inputValue()).toBe('');
  });

  it('change in a tab whose browser signs in with another one', async () => {
    await using ann = await openConsole(browser, gateway.url, { accessKey: ANN });
    await upload(ann.page, 'secret-project.bin');
    const other = await ann.context.newPage();
    await other.goto(`${gateway.url}/_gateway/console/`);
    await other.getByLabel('Account ann').click();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await signIn(other, BOB);
    await ann.page.getByLabel('Account bob').waitFor();
    expect(await ann.page.content()).not.toContain('secret-project');
  });
});
