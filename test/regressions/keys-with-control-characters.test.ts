import { validForm } from '../http/oss/post/form.ts';
import type { Form } from '../http/oss/post/form.ts';
import { startOss } from '../http/oss/post/start.ts';
import type { Oss } from '../http/oss/post/start.ts';

/** We refused these keys, because XML cannot contain them. The live suites of Alibaba's SDKs store the first one. */
describe.each([
  ['invisible\u0001\n\f\u0007', 'invisible%01\n%0C%07'],
  ['\u0008\u000b\u001f', '%08%0B%1F'],
  ['\ufffe\uffff', '%EF%BF%BE%EF%BF%BF'],
])('an object with the key %j', (key, shown) => {
  const path = `/${encodeURIComponent(key)}`;
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss({ publicRead: true });
  });
  afterAll(() => oss.close());

  const formFor = (name: string, condition: unknown): Form => {
    const form = validForm();
    form.fields.set('key', name).set('success_action_status', '201');
    form.policy.conditions = [condition];
    return form;
  };

  it('is stored under the key, read and listed', async () => {
    const posted = await oss.post(formFor(key, ['eq', '$key', key]));
    expect(posted).toMatchObject({ status: 201, xml: { Key: shown } });
    expect(posted.xml['Location']).toBe(`http://127.0.0.1:${String(oss.port)}${path}`);
    expect(await oss.send({ path })).toMatchObject({ status: 200, body: 'firmware' });
    expect(await oss.send({ path, method: 'HEAD' })).toMatchObject({ status: 200 });
    expect((await oss.gateway.uploads.list()).map((upload) => upload.key)).toEqual([key]);
  });

  it('gets it from the name of the file', async () => {
    const form = formFor('up/${filename}', ['starts-with', '$key', 'up/']);
    const escaped = key.replace('\n', '%0A');
    form.fileHeaders = [`Content-Disposition: form-data; name="file"; filename="${escaped}"`];
    expect(await oss.post(form)).toMatchObject({ status: 201, xml: { Key: `up/${shown}` } });
    expect(await oss.stored(`up/${key}`)).toBeDefined();
  });

  it('is shown escaped when it does not exist', async () => {
    const missing = await oss.send({ path: `/missing${encodeURIComponent(key)}` });
    expect(missing).toMatchObject({
      status: 404,
      xml: { Code: 'NoSuchKey', Key: `missing${shown}` },
    });
  });
});
