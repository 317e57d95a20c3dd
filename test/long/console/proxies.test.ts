import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../../support/browser.ts';
import { ACCOUNT_KEY, startBuiltGateway } from '../../support/built-gateway.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { openConsole, signIn } from '../../support/console.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import { folderForSuite } from '../../support/suite.ts';
import type { Proxy } from '../ship/proxy.ts';
import { freePort, runCaddy, runNginx, startCaddy, startNginx } from '../ship/proxy.ts';

// The console behind the proxies of Debian. Beside the shipped configurations: short ones, as people write them.

jest.setTimeout(60_000);

/** A name of this machine alone, for which Chromium has no secure context over plain HTTP. */
const NAME = 'console.test';
/** A Host that no client knows. */
const INNER = 'gateway.internal';
/** Less than the time between two comments of the event stream, which would push an event through that a proxy holds back. */
const AT_ONCE = { timeout: 10_000 };

interface Way {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly prefix: string;
  /** Whether the proxy replaces the header Host. */
  readonly hidesHost?: boolean;
}

const BELOW_PREFIX: Way = { scheme: 'https', host: '127.0.0.1', prefix: '/team/ota' };
const HIDDEN_HOST: Way = { ...BELOW_PREFIX, hidesHost: true };
const PLAIN_NAME: Way = { scheme: 'http', host: NAME, prefix: '/ota' };
const PLAIN_HIDDEN: Way = { ...PLAIN_NAME, hidesHost: true };

interface Site extends Way {
  readonly folder: string;
  readonly port: number;
  readonly tls: PrivateCa;
  readonly upstream: string;
}

function startShortNginx({
  folder,
  hidesHost,
  port,
  prefix,
  scheme,
  tls,
  upstream,
}: Site): Promise<Proxy> {
  const secure = scheme === 'https' ? ' ssl' : '';
  return runNginx(
    folder,
    port,
    `server {
      listen 127.0.0.1:${String(port)}${secure};
      ${secure && `ssl_certificate ${tls.certFile}; ssl_certificate_key ${tls.keyFile};`}
      location ${prefix}/ {
        proxy_pass http://${upstream}/;
        proxy_set_header Host ${hidesHost ? INNER : '$http_host'};
      }
    }`,
  );
}

function startShortCaddy({
  folder,
  hidesHost,
  host,
  port,
  prefix,
  scheme,
  tls,
  upstream,
}: Site): Promise<Proxy> {
  return runCaddy(
    folder,
    port,
    `${scheme}://${host}:${String(port)} {
      bind 127.0.0.1
      ${scheme === 'https' ? `tls ${tls.certFile} ${tls.keyFile}` : ''}
      handle_path ${prefix}/* {
        reverse_proxy ${upstream} {
          ${hidesHost ? `header_up Host ${INNER}` : ''}
        }
      }
    }`,
  );
}

/** Signs in, uploads, sees what another client uploads as soon as it does, and is still signed in after a reload. */
async function useConsole(browser: Browser, url: string, gateway: BuiltGateway): Promise<void> {
  await using opened = await openConsole(browser, url, { ignoreHTTPSErrors: true });
  const { context, page, problems, requested } = opened;
  await page.getByText('live', { exact: true }).waitFor();
  const isSecure = !url.startsWith(`http://${NAME}`);
  expect(await page.evaluate('isSecureContext')).toBe(isSecure);

  const file = {
    name: 'app.bin',
    mimeType: 'application/octet-stream',
    buffer: Buffer.alloc(100_000),
  };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByRole('list').getByText('stored').waitFor();

  const { key } = await uploadByAnother(gateway);
  const row = page.getByRole('row').filter({ hasText: key });
  await row.getByText('stored').waitFor(AT_ONCE);

  const { pathname } = new URL(url);
  const path = `${pathname.replace(/\/$/, '')}/_gateway/`;
  expect(await context.cookies(url + '/_gateway/')).toMatchObject([{ path, httpOnly: true }]);
  await page.reload();
  await row.waitFor();
  const { origin } = new URL(url);
  expect(requested.filter((each) => new URL(each).origin !== origin)).toEqual([]);
  expect(problems).toEqual([]);
}

async function uploadByAnother({ url }: BuiltGateway): Promise<{ readonly key: string }> {
  const grant = await grantFrom(url);
  expect((await post({ ...grant, host: url }, Buffer.from('firmware'))).status).toBe(200);
  return grant;
}

const PROXIES = [
  ['nginx', startNginx, startShortNginx],
  ['caddy', startCaddy, startShortCaddy],
] as const;

describeWith(['chromium', 'nginx', 'caddy', 'openssl'], 'the console', () => {
  const folder = folderForSuite();
  let browser: Browser;
  let tls: PrivateCa;
  const toEnd: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    tls = createPrivateCa(folder.path);
    browser = await startChromium(`--host-resolver-rules=MAP ${NAME} 127.0.0.1`);
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const end of toEnd.splice(0).reverse()) await end();
  });

  let count = 0;
  async function startGateway(
    environment: Readonly<Record<string, string>>,
  ): Promise<BuiltGateway> {
    count += 1;
    const gateway = await startBuiltGateway(join(folder.path, String(count)), environment);
    toEnd.push(() => gateway.stop());
    return gateway;
  }

  /** @param isAware - whether the gateway knows its public URL */
  async function behind(
    startShort: (site: Site) => Promise<Proxy>,
    way: Way,
    isAware = false,
  ): Promise<{ readonly gateway: BuiltGateway; readonly url: string }> {
    const port = await freePort();
    const url = `${way.scheme}://${way.host}:${String(port)}${way.prefix}`;
    const gateway = await startGateway(isAware ? { OTA_GATEWAY_PUBLIC_URL: url } : {});
    const upstream = `127.0.0.1:${String(gateway.port)}`;
    const proxy = await startShort({ ...way, folder: folder.path, port, tls, upstream });
    toEnd.push(() => proxy.stop());
    return { gateway, url };
  }

  it.each(PROXIES)('works behind the shipped configuration of %s, by TLS', async (_, start) => {
    const gateway = await startGateway({ OTA_GATEWAY_TRUSTED_PROXIES: '127.0.0.1' });
    const proxy = await start({ folder: folder.path, tls, upstreamPort: gateway.port });
    toEnd.push(() => proxy.stop());
    await useConsole(browser, proxy.url, gateway);
  });

  it.each(PROXIES)('works below a prefix of %s', async (_, _start, startShort) => {
    const { gateway, url } = await behind(startShort, BELOW_PREFIX);
    await useConsole(browser, url, gateway);
  });

  it.each(PROXIES)(
    'works by TLS behind a %s that replaces the Host',
    async (_, _start, startShort) => {
      const { gateway, url } = await behind(startShort, HIDDEN_HOST);
      await useConsole(browser, url, gateway);
    },
  );

  it.each(PROXIES)('works by plain HTTP on a name behind %s', async (_, _start, startShort) => {
    const { gateway, url } = await behind(startShort, PLAIN_NAME);
    await useConsole(browser, url, gateway);
  });

  it.each(PROXIES)(
    'works by plain HTTP behind a %s that replaces the Host, once the gateway knows its public URL',
    async (_, _start, startShort) => {
      const { gateway, url } = await behind(startShort, PLAIN_HIDDEN, true);
      await useConsole(browser, url, gateway);
    },
  );

  it.each(PROXIES)(
    'names the setting that is missing by plain HTTP behind a %s that replaces the Host',
    async (_, _start, startShort) => {
      const { url } = await behind(startShort, PLAIN_HIDDEN);
      await refuseToSignIn(browser, url);
    },
  );

  it('works by plain HTTP on a name without a proxy', async () => {
    const gateway = await startGateway({});
    await useConsole(browser, `http://${NAME}:${String(gateway.port)}`, gateway);
  });
});

/** Tries to sign in where the gateway cannot know that the page is its own, and reads which setting it needs. */
async function refuseToSignIn(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext({ locale: 'en-US' });
  const page: Page = await context.newPage();
  await page.goto(`${url}/_gateway/console/`);
  const tried = expect(signIn(page, ACCOUNT_KEY)).rejects.toThrow();
  await page.getByRole('alert').getByText('OTA_GATEWAY_PUBLIC_URL').waitFor();
  await context.close();
  await tried;
}
