import { ANN, accountOf, openSession, startConsole } from './console-api.ts';

describe('an HTML page that a client has stored as an object', () => {
  it('cannot use the session of the console, which has the same origin', async () => {
    await using gateway = await startConsole();
    const cookie = await openSession(gateway, ANN);
    const grant = await gateway.api.generateOTAUploadURL();
    const fields = { 'Content-Disposition': 'inline', 'x-oss-content-type': 'text/html' };
    const html = '<script>fetch("/_gateway/api/about")</script>';
    await gateway.postObject(grant, html, { fields });
    for (const headers of [{}, { cookie }]) {
      const response = await gateway.fetch(gateway.downloadUrl(grant.key), { headers });
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/html',
        'content-disposition': 'inline',
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
      });
    }
    expect(await accountOf(gateway, cookie)).toBe('ann');
  });

  it('is not readable with the session alone', async () => {
    await using gateway = await startConsole();
    const cookie = await openSession(gateway, ANN);
    const { key } = await gateway.seed({ state: 'stored' });
    const answers = [{}, { cookie }].map(async (headers) => {
      const response = await gateway.fetch(`/${key}`, { headers });
      const text = (await response.text()).replace(/<RequestId>.*<\/RequestId>/, '');
      return [response.status, text];
    });
    const [without, withCookie] = await Promise.all(answers);
    expect(without?.[0]).toBe(403);
    expect(withCookie).toEqual(without);
  });
});
