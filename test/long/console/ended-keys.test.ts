import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { Account } from '../../../src/accounts/accounts.ts';
import { accountsText, startWithAccounts } from '../../support/accounts.ts';
import { startChromium } from '../../support/browser.ts';
import { openConsole, signIn } from '../../support/console.ts';
import { describeWith } from '../../support/programs.ts';
import { folderForEachTest } from '../../support/suite.ts';

const OLD = { id: 'team-key', secret: 'first' };
const NEXT = { id: 'team-key', secret: 'second' };
const SECOND = { id: 'other-key', secret: 'third' };
const EXPIRED = 'You are signed out. After signing in you are where you were.';

const accountsWith = (...accessKeys: Account['accessKeys']): Account[] => [
  { id: 'team', accessKeys },
];

describeWith('chromium', 'an open page of the console, in Chromium', () => {
  const folder = folderForEachTest();
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it.each([
    ['rotated', accountsWith(NEXT), NEXT],
    ['disabled', accountsWith({ ...OLD, disabled: true }, SECOND), SECOND],
    ['removed', accountsWith(SECOND), SECOND],
  ])('signs out when its key is %s, says so, and keeps its place', async (_how, accounts, key) => {
    const gateway = await startWithAccounts(folder.path, accountsWith(OLD));
    await using opened = await openConsole(browser, gateway.url, {
      accessKey: OLD,
      hash: '#/packages?q=pump',
    });
    const { page } = opened;
    await page.getByText('live', { exact: true }).waitFor();
    await writeFile(join(folder.path, 'accounts.json'), accountsText(accounts));
    process.kill(gateway.pid, 'SIGHUP');
    await page.getByLabel('Access key').waitFor();
    await page.getByText(EXPIRED).waitFor();
    await signIn(page, key);
    await page.getByRole('heading', { level: 1, name: 'Packages' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/packages?q=pump');
    expect(await gateway.stop()).toBe(0);
  });

  it('says nothing of an ended session before a sign-in and after Sign out', async () => {
    const gateway = await startWithAccounts(folder.path, accountsWith(OLD));
    await using opened = await openConsole(browser, gateway.url, { accessKey: OLD });
    const { page } = opened;
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByLabel('Account team').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Access key').waitFor();
    expect(await page.getByText(EXPIRED).count()).toBe(0);
    await page.reload();
    await page.getByLabel('Access key').waitFor();
    expect(await page.getByText(EXPIRED).count()).toBe(0);
    expect(await gateway.stop()).toBe(0);
  });
});
