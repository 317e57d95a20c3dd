import request from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway.close());

describe('the download URL of a seed', () => {
  it.each(['stored', 'claimed', 'purging'] as const)(
    'downloads the file that is %s',
    async (state) => {
      const { downloadUrl } = await gateway.seed({ state, bytes: 'abc' });
      const response = await gateway.fetch(downloadUrl);
      // A deleted file is not readable any more, although its bytes wait for the purge.
      const [status, body] = state === 'purging' ? [404, '<Code>NoSuchKey</Code>'] : [200, 'abc'];
      expect(response.status).toBe(status);
      expect(await response.text()).toContain(body);
    },
  );

  it('works as soon as the file is there', async () => {
    const { downloadUrl, grant } = await gateway.seed({ state: 'issued' });
    expect((await gateway.fetch(downloadUrl)).status).toBe(404);
    await gateway.postObject(grant, 'later');
    expect(await (await gateway.fetch(downloadUrl)).text()).toBe('later');
  });

  it('is valid from now on, also when the seed is old', async () => {
    const { downloadUrl } = await gateway.seed({ state: 'claimed', age: { days: 20 } });
    expect((await gateway.fetch(downloadUrl)).status).toBe(200);
  });
});

describe('gateway.downloadUrl', () => {
  it('is the URL that QueryOTAFirmware returns', async () => {
    const { firmwareId = '', key } = await gateway.seed({ state: 'claimed' });
    const { firmwareUrl } = await gateway.api.queryOTAFirmware({ firmwareId });
    expect(gateway.downloadUrl(key)).toBe(firmwareUrl);
  });

  it('is valid for 24 hours, or for the given time', async () => {
    const { key } = await gateway.seed({ state: 'claimed' });
    const [day, minute] = [
      gateway.downloadUrl(key),
      gateway.downloadUrl(key, { validFor: { minutes: 1 } }),
    ];
    gateway.clock.advance({ minutes: 1 });
    expect((await gateway.fetch(minute)).status).toBe(200);
    gateway.clock.advance({ seconds: 1 });
    expect((await gateway.fetch(minute)).status).toBe(403);
    gateway.clock.advance({ hours: 23 });
    expect((await gateway.fetch(day)).status).toBe(200);
    gateway.clock.advance({ hours: 1 });
    expect((await gateway.fetch(day)).status).toBe(403);
  });

  it('works over a listener, and with supertest', async () => {
    const { key } = await gateway.seed({ state: 'stored', bytes: 'abc' });
    const { url } = await gateway.listen();
    const overNetwork = gateway.downloadUrl(key, { url: `${url}/` });
    expect(overNetwork.startsWith(`${url}/${key}?`)).toBe(true);
    expect(await (await fetch(overNetwork)).text()).toBe('abc');
    const { pathname, search } = new URL(gateway.downloadUrl(key));
    await request(gateway.app)
      .get(pathname + search)
      .expect(200);
  });

  it('has an escaped key', async () => {
    await using open = await startTestGateway();
    const key = 'ota/a b?c/ü&.bin';
    expect(new URL(open.downloadUrl(key)).pathname).toBe('/ota/a%20b%3Fc/%C3%BC%26.bin');
    expect((await open.fetch(open.downloadUrl(key))).status).toBe(404);
  });

  it('is signed with the bucket key of the options', async () => {
    await using own = await startTestGateway({ ossAccessKeyId: 'own', ossAccessKeySecret: 'key' });
    const { downloadUrl } = await own.seed({ state: 'stored' });
    expect(new URL(downloadUrl).searchParams.get('OSSAccessKeyId')).toBe('own');
    expect((await own.fetch(downloadUrl)).status).toBe(200);
  });
});
