import { createHash } from 'node:crypto';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { dropFiles, limitUploads, openConsole } from '../../support/console.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { describeWith } from '../../support/programs.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { mountSmallDisk } from '../reliability/small-disk.ts';

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const FILE = patternBytes(3 * MIB);
const MD5 = createHash('md5').update(FILE).digest('hex');
const INTERRUPTED = 'The gateway does not answer. The upload goes on once it does.';
const SENT_AGAIN = 'sent again with a new form (2 of 3)';

const possible = mountSmallDisk('1m');
if (typeof possible === 'string') process.stderr.write(`no disk can be filled: ${possible}\n`);
else possible.unmount();
const whenMounted = typeof possible === 'string' ? it.skip : it;

describeWith('chromium', 'an open page of the console, in Chromium', () => {
  const folder = folderForEachTest();
  let browser: Browser;
  let gateway: BuiltGateway;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());
  afterEach(() => gateway.kill());

  const start = async (environment: Record<string, string> = {}): Promise<void> => {
    gateway = await startBuiltGateway(join(folder.path, 'data'), environment);
  };
  const startAgain = async (): Promise<void> => {
    gateway = await startBuiltGateway(gateway.dataDir, {}, gateway.port);
  };

  /** Drops a file, whose first bytes have arrived then. */
  const beginUpload = async (page: Page): Promise<{ lift: () => Promise<void> }> => {
    const path = join(folder.path, 'app.bin');
    await writeFile(path, FILE);
    const limit = await limitUploads(page, 400_000);
    await dropFiles(page, [path]);
    const bar = page.getByRole('progressbar', { name: 'app.bin' });
    await eventually(async () =>
      bar.evaluate((element) => Number(Reflect.get(element, 'value')) > 0),
    );
    return limit;
  };
  const isStored = (page: Page): Promise<void> =>
    page.getByRole('link', { name: `MD5 ${MD5}`, exact: true }).waitFor();

  it('says that it is not live while the gateway is away, and then reads what it has missed', async () => {
    await start();
    await using opened = await openConsole(browser, gateway.url);
    const { page } = opened;
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('There are no uploads yet.').waitFor();
    const { dataDir, port } = gateway;
    expect(await gateway.stop()).toBe(0);
    await page.getByText('not live: connecting again').waitFor();

    // On another port, so that the page cannot see it.
    gateway = await startBuiltGateway(dataDir);
    const grant = await grantFrom(gateway.url);
    expect(await post(grant, FILE)).toMatchObject({ status: 200 });
    expect(await gateway.stop()).toBe(0);

    gateway = await startBuiltGateway(dataDir, {}, port);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Uploads 1' }).waitFor();
    await page.getByRole('row', { name: /stored/ }).waitFor();
    await page.getByLabel('Account default').waitFor();
    // Changes arrive again.
    expect(await post(await grantFrom(gateway.url), FILE)).toMatchObject({ status: 200 });
    await page.getByRole('link', { name: 'Uploads 2' }).waitFor();
  });

  it.each([
    ['killed', () => gateway.kill()],
    ['stopped', () => gateway.stop()],
  ])('sends a file again after the gateway was %s in the middle of it', async (_how, end) => {
    await start({ OTA_GATEWAY_GRACE: '100ms' });
    await using opened = await openConsole(browser, gateway.url);
    const { page } = opened;
    const limit = await beginUpload(page);
    await end();
    await page.locator('.transfers').getByText(INTERRUPTED).waitFor();
    await limit.lift();
    await startAgain();
    await isStored(page);
    await page.getByText(SENT_AGAIN).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Uploads 1' }).waitFor();
  });

  it('stops to wait for the gateway when a person stops the upload', async () => {
    await start();
    await using opened = await openConsole(browser, gateway.url);
    const { page } = opened;
    const limit = await beginUpload(page);
    await gateway.kill();
    const shown = page.locator('.transfers');
    await shown.getByText(INTERRUPTED).waitFor();
    await page.getByRole('button', { name: 'Stop: app.bin' }).click();
    await shown.getByText('stopped').waitFor();
    await limit.lift();
    await startAgain();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await shown.getByText('stopped').count()).toBe(1);
    await page.getByRole('button', { name: 'Send again: app.bin' }).click();
    await isStored(page);
    expect(await shown.getByText(SENT_AGAIN).count()).toBe(0);
  });

  it('waits for the gateway also when a proxy answers in its place', async () => {
    await start();
    await using opened = await openConsole(browser, gateway.url);
    const { page } = opened;
    let isAway = false;
    const badGateway = { status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' };
    await page.route(`${gateway.url}/_gateway/api/**`, (route) =>
      isAway ? route.fulfill(badGateway) : route.continue(),
    );
    await page.route(
      `${gateway.url}/`,
      (route) => {
        isAway = true;
        return route.fulfill(badGateway);
      },
      { times: 1 },
    );
    const path = join(folder.path, 'app.bin');
    await writeFile(path, FILE);
    await dropFiles(page, [path]);
    await page.locator('.transfers').getByText(INTERRUPTED).waitFor();
    isAway = false;
    await isStored(page);
    await page.getByText(SENT_AGAIN).waitFor();
  });

  it('gives a file up whose connection was lost with three forms', async () => {
    await start();
    await using opened = await openConsole(browser, gateway.url);
    const { page } = opened;
    const posted: string[] = [];
    await page.route(`${gateway.url}/`, async (route) => {
      posted.push(route.request().method());
      await route.abort('connectionreset');
    });
    const path = join(folder.path, 'app.bin');
    await writeFile(path, FILE);
    await dropFiles(page, [path]);
    await page.getByText('the connection was lost before the gateway answered').waitFor();
    expect(posted).toEqual(['POST', 'POST', 'POST']);
  });

  whenMounted('says that the disk is full, and sends the file once there is room', async () => {
    const disk = mountSmallDisk('64m');
    if (typeof disk === 'string') throw new Error(disk);
    try {
      gateway = await startBuiltGateway(join(disk.path, 'data'), { OTA_GATEWAY_MIN_FREE: '20MiB' });
      await using opened = await openConsole(browser, gateway.url);
      const { page } = opened;
      const other = join(disk.path, 'other');
      await writeFile(other, Buffer.alloc(42 * MIB));
      const path = join(folder.path, 'app.bin');
      await writeFile(path, FILE);
      await dropFiles(page, [path]);
      await page
        .getByRole('alert')
        .getByText('There is not enough free space for this upload')
        .waitFor();
      await unlink(other);
      await page.getByRole('button', { name: 'Send again: app.bin' }).click();
      await isStored(page);
    } finally {
      await gateway.kill();
      disk.unmount();
    }
  });
});
