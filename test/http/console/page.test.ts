import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import request from 'supertest';
import { createPageReader } from '../../../src/console/page-files.ts';
import { createConsoleRouter, protectPage } from '../../../src/console/router.ts';
import type { ConsoleDependencies } from '../../../src/console/router.ts';
import { OperatorError } from '../../../src/operator/errors.ts';
import { ANN, CONSOLE, openSession, signIn, startConsole, statusOf } from './console-api.ts';
import type { ConsoleGateway } from './console-api.ts';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const HTML = '<!doctype html><title>console</title>';
const SCRIPT = 'const a = 1;\n'.repeat(100);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'page-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function build(): Promise<void> {
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), HTML);
  await writeFile(join(folder, 'assets', 'index-a1.js'), SCRIPT);
  await writeFile(join(folder, 'assets', 'tiny-b2.svg'), '<svg/>');
}

/** The console with the page of the folder; the other parts are not used. */
function createPageApp() {
  const deps = { page: createPageReader(folder) } as unknown as ConsoleDependencies;
  return express().use(CONSOLE, protectPage, createConsoleRouter(deps));
}

describe('the page', () => {
  it('is sent without being kept by the browser', async () => {
    await build();
    const response = await request(createPageApp()).get(`${CONSOLE}/`).expect(200, HTML);
    expect(response.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  it('has a relative redirect to its folder, so that any prefix works', async () => {
    const response = await request(createPageApp()).get(`${CONSOLE}?a/`).expect(302);
    expect(response.get('location')).toBe('console/');
    expect(response.get('content-security-policy')).toBe(CSP);
  });

  it('has assets that are kept for ever, and compressed for those who accept it', async () => {
    await build();
    const app = createPageApp();
    const asset = `${CONSOLE}/assets/index-a1.js`;
    const packed = await request(app)
      .get(asset)
      .set('accept-encoding', 'gzip')
      .buffer(true)
      .expect(200, SCRIPT);
    expect(packed.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'gzip',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'Accept-Encoding',
    });
    for (const accepted of ['identity', 'gzip;q=0']) {
      const plain = await request(app).get(asset).set('accept-encoding', accepted);
      expect(plain.get('content-encoding')).toBeUndefined();
      expect(plain.get('content-length')).toBe(String(SCRIPT.length));
      expect(plain.get('vary')).toBe('Accept-Encoding');
    }
    const small = await request(app).get(`${CONSOLE}/assets/tiny-b2.svg`).expect(200);
    expect(small.headers).toMatchObject({ 'content-type': 'image/svg+xml' });
    expect(small.get('content-encoding')).toBeUndefined();
  });

  it('responds to HEAD without a body', async () => {
    await build();
    for (const path of ['/', '/assets/index-a1.js']) {
      const { headers, text } = await request(createPageApp())
        .head(CONSOLE + path)
        .expect(200);
      expect([Number(headers['content-length']) > 0, text]).toEqual([true, undefined]);
    }
  });

  it.each(['none.js', '..%2Findex.html', '%2e%2e%2findex.html', 'a%00'])(
    'has no asset %s',
    async (name) => {
      await build();
      await request(createPageApp()).get(`${CONSOLE}/assets/${name}`).expect(404);
    },
  );

  it('is read once, and again after it was missing', async () => {
    const page = createPageReader(folder);
    expect(page).toThrow(OperatorError);
    await build();
    const { assets, index } = page();
    expect(index.plain.toString()).toBe(HTML);
    expect(gunzipSync(assets.get('index-a1.js')?.gzip ?? '').toString()).toBe(SCRIPT);
    await rm(join(folder, 'index.html'));
    expect(page().index).toBe(index);
  });

  it('that is missing is explained', () => {
    expect(createPageReader(folder)).toThrow(
      expect.objectContaining({
        kind: 'unavailable',
        code: 'PageNotBuilt',
        message: expect.stringContaining('dist/console/ui'),
        hint: expect.stringContaining('npm run build'),
      }),
    );
  });
});

describe('everything below the console', () => {
  let gateway: ConsoleGateway;

  beforeAll(async () => {
    gateway = await startConsole();
  });
  afterAll(() => gateway.close());

  it.each([
    ['get', '/challenge', 200],
    ['get', '/session', 200],
    ['delete', '/session', 403],
    ['post', '/session', 403],
    ['put', '/session', 403],
    ['get', '/none', 404],
    ['get', '/index.html', 404],
    ['get', '/assets/none.js', 404],
    ['post', '/', 404],
  ] as const)('%s %s has the headers that protect the page', async (method, path, status) => {
    const response = await request(gateway.app)[method](CONSOLE + path);
    // Without a built page its files are missing.
    expect([status, ...(path.startsWith('/assets/') ? [503] : [])]).toContain(response.status);
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': CSP,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-request-id': expect.any(String),
    });
    if (status >= 400) expect(Object.keys(response.body)).toEqual(['error']);
  });

  it('is gone when the console is off, and no cookie is accepted', async () => {
    await using off = await startConsole({ console: 'off', parts: { wallClock: gateway.wall } });
    for (const path of ['', '/', '/challenge', '/session', '/assets/a.js']) {
      await request(off.app)
        .get(CONSOLE + path)
        .expect(404);
    }
    expect((await signIn(gateway, ANN)).status).toBe(201);
    const cookie = await openSession(gateway, ANN);
    expect(await statusOf(gateway, cookie)).toBe(200);
    expect(await statusOf(off, cookie)).toBe(401);
  });
});
