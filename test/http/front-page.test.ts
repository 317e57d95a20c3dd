import { createHash } from 'node:crypto';
import request from 'supertest';
import type { TestGateway } from '../../src/testing/index.ts';
import { startTestGateway } from '../support/gateways.ts';

/** What Firefox and Chrome send. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.close());

describe('the page at /', () => {
  it('says what the service is, where its documentation is, and how to try it', async () => {
    const { headers, status, text } = await request(gateway.app).get('/').set('Accept', BROWSER);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toMatch(/<title>OTA Upload Gateway<\/title>/);
    expect(text).toMatch(/ota-gateway upload /);
    expect(text).toMatch(/docs\//);
  });

  it('links to the console, relative to its own address', async () => {
    const { text } = await request(gateway.app).get('/').set('Accept', BROWSER);
    const [, link = ''] = /href="([^"]*console[^"]*)"/.exec(text) ?? [];
    expect(link).toBe('_gateway/console/');
    await request(gateway.app).get(`/${link}`).expect(200);
  });

  it('has no link to a console that is off', async () => {
    await using withoutConsole = await startTestGateway({ console: 'off' });
    const { text } = await request(withoutConsole.app).get('/').set('Accept', BROWSER);
    expect(text).toMatch(/<title>OTA Upload Gateway<\/title>/);
    expect(text).not.toContain('console');
  });

  it('allows nothing but its own style', async () => {
    const { headers, text } = await request(gateway.app).get('/').set('Accept', 'text/html');
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(text) ?? [];
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; /);
    expect(headers['content-security-policy']).toContain(`style-src 'sha256-${hash}';`);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(text).not.toMatch(/<script|style=|\son\w+=/i);
  });

  it('has no body in the response to HEAD', async () => {
    const { headers, status, text } = await request(gateway.app).head('/').set('Accept', BROWSER);
    expect(status).toBe(200);
    expect(Number(headers['content-length'])).toBeGreaterThan(500);
    expect(text).toBeUndefined();
  });

  it('shows nothing of the request', async () => {
    const { text } = await request(gateway.app)
      .get('/')
      .set({ Accept: BROWSER, Host: 'unusual.example', 'User-Agent': 'unusual' });
    expect(text).not.toContain('unusual');
  });

  it.each([
    ['no Accept', 'get', '/', {}],
    ['any type', 'get', '/', { Accept: '*/*' }],
    ['any text', 'get', '/', { Accept: 'text/*' }],
    ['another type', 'get', '/', { Accept: 'text/htmlx, application/xml' }],
    ['JSON', 'get', '/', { Accept: 'application/json' }],
    ['an API call', 'get', '/?Action=X', { Accept: BROWSER }],
    ['another query', 'get', '/?prefix=a', { Accept: BROWSER }],
    ['a signature in a header', 'get', '/', { Accept: BROWSER, Authorization: 'OSS id:signature' }],
    ['an API call in a header', 'get', '/', { Accept: BROWSER, Authorization: 'ACS3-HMAC-SHA256' }],
    ['a form', 'post', '/', { Accept: BROWSER }],
    [
      'parameters in a body',
      'get',
      '/',
      { Accept: BROWSER, 'Content-Type': 'application/x-www-form-urlencoded' },
    ],
    ['an object', 'get', '/key', { Accept: BROWSER }],
    ['the bucket', 'get', '/iotx-ota/', { Accept: BROWSER }],
    ['a preflight', 'options', '/', { Accept: BROWSER }],
  ] as const)('is not the response to %s', async (_, method, path, headers) => {
    const { headers: received } = await request(gateway.app)[method](path).set(headers);
    expect(received['content-type'] ?? '').not.toMatch(/html/);
  });
});
