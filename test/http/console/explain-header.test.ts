import request from 'supertest';
import { ManualClock } from '../../../src/lib/clock.ts';
import type { TestGateway, TestGatewayOptions } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

const HEADER = 'x-ota-gateway-explain';

/** Sends requests that each dialect refuses. @returns what the header says, beside the request ids */
async function refusedBy(gateway: TestGateway, host = 'gateway.test:9070') {
  const oss = await request(gateway.app).get('/none').set({ host });
  const iot = await request(gateway.app).get('/?Action=None').set({ host });
  const head = await request(gateway.app).head('/none').set({ host });
  return [
    [oss.get(HEADER), oss.get('x-oss-request-id')],
    [iot.get(HEADER), iot.get('x-acs-request-id')],
    [head.get(HEADER), head.get('x-oss-request-id')],
  ];
}

describe('a refused request', () => {
  it.each<[string, TestGatewayOptions, string]>([
    ['as it was addressed', {}, 'http://gateway.test:9070'],
    ['by its public URL', { publicUrl: 'https://a.example/ota/' }, 'https://a.example/ota'],
  ])('names the page that explains it, %s', async (_how, options, base) => {
    await using gateway = await startTestGateway(options);
    for (const [link, id = ''] of await refusedBy(gateway)) {
      expect(link).toBe(`${base}/_gateway/console/#/refusals/${id}`);
      const story = request(gateway.app).get(`/_gateway/api/refusals/${id}`);
      const { body } = await story.auth(gateway.accessKey.id, gateway.accessKey.secret).expect(200);
      expect(body.requestId ?? body.refusal?.requestId).toBeDefined();
    }
  });

  it.each<[string, TestGatewayOptions, string]>([
    ['the console is off', { console: 'off' }, 'h'],
    ['refusals are not kept', { refusalRetention: 0 }, 'h'],
    ['the address of the gateway is long', {}, 'h'.repeat(1024)],
  ])('names none when %s', async (_why, options, host) => {
    await using gateway = await startTestGateway(options);
    for (const [link] of await refusedBy(gateway, host)) expect(link).toBeUndefined();
  });

  it('names none when it is one of too many to be kept', async () => {
    await using gateway = await startTestGateway({ parts: { monotonicClock: new ManualClock() } });
    const paths = Array.from({ length: 25 }, (_, n) => `/none-${String(n)}`);
    const all = await Promise.all(paths.map((path) => request(gateway.app).get(path)));
    const links = all.filter((response) => response.get(HEADER) !== undefined);
    expect(links).toHaveLength(20);
  });

  it('names it to no script of another origin', async () => {
    await using gateway = await startTestGateway({
      corsRules: [{ allowedOrigins: ['*'], allowedMethods: ['GET'], exposeHeaders: ['ETag'] }],
    });
    const response = await request(gateway.app).get('/none').set('origin', 'http://a.test');
    expect(response.get(HEADER)).toBeDefined();
    expect(response.get('access-control-expose-headers')).toBe('ETag');
  });

  it('names none when it succeeds', async () => {
    await using gateway = await startTestGateway();
    const { key } = await gateway.seed({ state: 'stored' });
    const { headers } = await gateway.fetch(gateway.downloadUrl(key));
    expect(headers.get(HEADER)).toBeNull();
  });
});
