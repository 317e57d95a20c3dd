import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { queryDownloadUrl } from '../../../src/client/api-client.ts';
import { startChromium } from '../../support/browser.ts';
import { openConsole } from '../../support/console.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';

/** Names that lead to this machine, of one site and of another one. */
const SAME_SITE = 'gateway.test';
const OTHER_SITE = 'attacker.test';

const ATTACK = `async (gateway) => {
  const api = gateway + '/_gateway/api/';
  const outcome = (sent) => sent.then(async (response) => {
    return response.type === 'opaque' ? 'opaque' : [response.status, await response.text()];
  }, () => 'failed');
  const included = { credentials: 'include' };
  const change = { ...included, method: 'POST', body: '{}' };
  const header = { 'x-gateway-console': '1' };
  const form = document.createElement('form');
  Object.assign(form, { method: 'post', action: api + 'grants', target: 'framed', enctype: 'text/plain' });
  const frame = Object.assign(document.createElement('iframe'), { name: 'framed' });
  document.body.append(form, frame);
  const answered = new Promise((resolve) => { frame.onload = resolve; });
  form.submit();
  await answered;
  const page = Object.assign(document.createElement('iframe'), { src: gateway + '/_gateway/console/' });
  const shown = new Promise((resolve) => { page.onload = resolve; });
  document.body.append(page);
  await shown;
  const script = Object.assign(document.createElement('script'), { src: api + 'uploads' });
  const loaded = new Promise((resolve) => {
    script.onload = () => resolve('loaded');
    script.onerror = () => resolve('failed');
  });
  document.body.append(script);
  return {
    read: await outcome(fetch(api + 'uploads', included)),
    readBlind: await outcome(fetch(api + 'uploads', { ...included, mode: 'no-cors' })),
    change: await outcome(fetch(api + 'grants', { ...change, headers: header })),
    changeBlind: await outcome(fetch(api + 'grants', { ...change, mode: 'no-cors' })),
    script: await loaded,
    events: await new Promise((resolve) => {
      const source = new EventSource(api + 'events', { withCredentials: true });
      source.onopen = () => resolve('open');
      source.onerror = () => resolve('failed');
    }),
  };
}`;

describeWith('chromium', 'the console beside other pages, in Chromium', () => {
  const gateway = gatewayForSuite();
  let browser: Browser;
  let site: Server;
  let port: string;

  beforeAll(async () => {
    browser = await startChromium('--host-resolver-rules=MAP *.test 127.0.0.1');
    site = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>a</title>');
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    port = String((site.address() as AddressInfo).port);
  });
  afterAll(async () => {
    await browser.close();
    site.closeAllConnections();
    site.close();
  });

  it.each([
    ['another site', OTHER_SITE, SAME_SITE],
    ['another port of the host', SAME_SITE, SAME_SITE],
    ['another port of this machine', '127.0.0.1', '127.0.0.1'],
  ])('is closed to a page of %s', async (_what, host, gatewayHost) => {
    const url = `http://${gatewayHost}:${String(gateway.port)}`;
    await using opened = await openConsole(browser, url);
    const count = `fetch('../api/uploads').then((response) => response.json()).then(({ items }) => items.length)`;
    const before = await opened.page.evaluate<number>(count);
    const other = await opened.context.newPage();
    await other.goto(`http://${host}:${port}/`);
    const outcome = await other.evaluate<Record<string, unknown>>(
      `(${ATTACK})(${JSON.stringify(url)})`,
    );
    expect(outcome).toEqual({
      ...{ read: 'failed', readBlind: 'failed', change: 'failed', changeBlind: 'failed' },
      ...{ script: 'failed', events: 'failed' },
    });
    const frames = await Promise.all(other.frames().map((frame) => frame.content()));
    expect(
      frames.filter((text) => text.includes('console/ui') || text.includes('assets/')),
    ).toEqual([]);
    expect(await opened.page.evaluate<number>(count)).toBe(before);
    await opened.page.getByText('live', { exact: true }).waitFor();
  });

  it('is closed to a page that a client has stored as an object', async () => {
    await using opened = await openConsole(browser, gateway.url);
    // It has the session, and none of the requests that the console makes when an upload changes.
    const page = await opened.context.newPage();
    const html = `<title>before</title><h1>stored</h1><script>
      document.title = 'ran'; fetch('/_gateway/api/grants', { method: 'POST', headers: { 'x-gateway-console': '1' } });
      </script><img src=x onerror="document.title = 'ran'">`;
    const grant = await grantFrom(gateway.url);
    const inline = { 'x-oss-content-type': 'text/html', 'Content-Disposition': 'inline' };
    expect((await post(grant, Buffer.from(html), inline)).status).toBe(200);
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    const FirmwareId = await claim(gateway.url, grant, 'page');
    await page.goto(await queryDownloadUrl(apiOf(gateway.url), { FirmwareId }));
    await page.getByRole('heading', { name: 'stored' }).waitFor();
    expect(await page.title()).toBe('before');
    expect(requested.filter((url) => url.includes('/_gateway/'))).toEqual([]);
  });
});
