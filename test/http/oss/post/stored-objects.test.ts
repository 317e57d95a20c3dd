import { BUCKET, validForm } from './form.ts';
import type { Form } from './form.ts';
import { startOss } from './start.ts';
import type { Oss } from './start.ts';

const KEY = 'dir/firmware.bin';
const MD5 = '74B5B5E9570EFC5C0553BB327CD41940';

describe('PostObject', () => {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss({ publicRead: true });
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    await oss.close();
  });

  const change = (fields: Readonly<Record<string, string>>): Form => {
    const form = validForm();
    for (const [name, value] of Object.entries(fields)) form.fields.set(name, value);
    return form;
  };

  describe('a successful response', () => {
    it.each([
      ['200', 200, '0'],
      ['204', 204, undefined],
      ['', 204, undefined],
      ['404', 204, undefined],
      ['201 ', 204, undefined],
      ['0200', 204, undefined],
    ])(
      'has for success_action_status=%s the status %d, and no body',
      async (value, status, length) => {
        const response = await oss.post(change({ success_action_status: value }));
        expect(response).toMatchObject({ status, body: '' });
        expect(response.headers['content-length']).toBe(length);
        expect(response.headers.etag).toBe(`"${MD5}"`);
      },
    );

    it('has for success_action_status=201 an XML document in the order of recorded ones', async () => {
      const response = await oss.post(change({ success_action_status: '201' }), {
        host: 'ota.test:81',
      });
      expect(response).toMatchObject({
        status: 201,
        headers: { 'content-type': 'application/xml' },
      });
      expect(response.body.replace(/>\s+</g, '><').trim()).toBe(
        `<?xml version="1.0" encoding="UTF-8"?><PostResponse><Bucket>${BUCKET}</Bucket>` +
          `<Location>http://ota.test:81/${KEY}</Location><Key>${KEY}</Key><ETag>${MD5}</ETag></PostResponse>`,
      );
    });

    it('has an encoded Location for a key of any letters, and an escaped Key', async () => {
      const form = change({ success_action_status: '201', key: 'ä b/<&>.bin' });
      form.policy.conditions = [['starts-with', '$key', '']];
      const { xml } = await oss.post(form);
      expect(xml['Location']).toMatch(/\/%C3%A4%20b\/%3C%26%3E\.bin$/);
      expect(
        xml['Key']?.replace(
          /&(lt|gt|amp);/g,
          (_, name) => ({ lt: '<', gt: '>', amp: '&' })[String(name)] ?? '',
        ),
      ).toBe('ä b/<&>.bin');
    });

    it.each([
      [
        'https://app.test/done',
        `https://app.test/done?bucket=${BUCKET}&key=dir%2Ffirmware.bin&etag=%22${MD5}%22`,
      ],
      [
        'http://app.test/done?a=b%20c',
        `http://app.test/done?a=b%20c&bucket=${BUCKET}&key=dir%2Ffirmware.bin&etag=%22${MD5}%22`,
      ],
      [
        'https://app.test/done#end',
        `https://app.test/done?bucket=${BUCKET}&key=dir%2Ffirmware.bin&etag=%22${MD5}%22#end`,
      ],
    ])(
      'has with success_action_redirect the status 303, for any success_action_status: %s',
      async (redirect, location) => {
        const response = await oss.post(
          change({ success_action_redirect: redirect, success_action_status: '201' }),
        );
        expect(response).toMatchObject({ status: 303, body: '', headers: { location } });
      },
    );

    it('does not redirect when the upload fails', async () => {
      const response = await oss.post(
        change({ success_action_redirect: 'http://a.test', Signature: 'x' }),
      );
      expect(response.status).toBe(403);
      expect(response.headers).not.toHaveProperty('location');
    });
  });

  describe('a stored object', () => {
    it.each([
      [{}, 'application/octet-stream'],
      [{ 'Content-Type': 'text/plain' }, 'application/octet-stream'],
      [{ 'x-oss-content-type': 'image/png', 'Content-Type': 'text/plain' }, 'image/png'],
      [{ 'x-oss-content-type': '' }, 'application/octet-stream'],
    ])('has the type of a typed file with %j', async (fields, type) => {
      await oss.post(change(fields));
      expect((await oss.stored(KEY))?.object.headers['content-type']).toBe(type);
    });

    it.each([
      [{}, 'application/octet-stream'],
      [{ 'Content-Type': 'text/plain' }, 'text/plain'],
      [{ 'Content-Type': '' }, 'application/octet-stream'],
    ])('has the type of an untyped file with %j', async (fields, type) => {
      const form = change(fields);
      form.fileHeaders = ['Content-Disposition: form-data; name="file"'];
      await oss.post(form);
      expect((await oss.stored(KEY))?.object.headers['content-type']).toBe(type);
    });

    it('is returned with its stored headers', async () => {
      const fields = {
        'Cache-Control': 'max-age=60',
        'Content-Disposition': 'attachment; filename="固件.bin"',
        'Content-Encoding': 'identity',
        Expires: 'Fri, 02 Jan 2027 03:04:05 GMT',
        'X-OSS-Meta-Author': 'alice',
        'x-oss-meta-empty': '',
        'x-oss-storage-class': 'IA',
        'x-oss-server-side-encryption': 'KMS',
        'x-oss-server-side-encryption-key-id': 'key',
        'x-oss-server-side-data-encryption': 'SM4',
        'x-oss-object-acl': 'public-read',
        'x-oss-tagging': 'ignored',
      };
      const posted = await oss.post(change(fields));
      expect(posted.headers).toMatchObject({
        'x-oss-server-side-encryption': 'KMS',
        'x-oss-server-side-encryption-key-id': 'key',
        'x-oss-server-side-data-encryption': 'SM4',
      });
      expect((await oss.stored(KEY))?.object.headers).toEqual({
        'content-type': 'application/octet-stream',
        'cache-control': 'max-age=60',
        'content-disposition': 'attachment; filename="固件.bin"',
        'content-encoding': 'identity',
        expires: 'Fri, 02 Jan 2027 03:04:05 GMT',
        'x-oss-meta-author': 'alice',
        'x-oss-meta-empty': '',
        'x-oss-storage-class': 'IA',
        'x-oss-server-side-encryption': 'KMS',
        'x-oss-server-side-encryption-key-id': 'key',
        'x-oss-server-side-data-encryption': 'SM4',
        'x-oss-object-acl': 'public-read',
      });
      const { headers, body } = await oss.send({ path: `/${KEY}` });
      expect(body).toBe('firmware');
      expect(headers).toMatchObject({
        'cache-control': 'max-age=60',
        'content-disposition': Buffer.from('attachment; filename="固件.bin"').toString('latin1'),
        expires: 'Fri, 02 Jan 2027 03:04:05 GMT',
        'x-oss-meta-author': 'alice',
        'x-oss-storage-class': 'IA',
        'x-oss-server-side-encryption': 'KMS',
      });
    });

    it('cannot be read in a public bucket when it is private', async () => {
      await oss.post(change({ 'x-oss-object-acl': 'private' }));
      expect((await oss.send({ path: `/${KEY}` })).status).toBe(403);
    });

    it('may have 8 KiB of headers, and not one byte more', async () => {
      const type = 'content-type' + 'application/octet-stream';
      const room = 8192 - type.length - 'x-oss-meta-a'.length;
      const large = await oss.post(change({ 'x-oss-meta-a': 'x'.repeat(room + 1) }));
      expect(large).toMatchObject({ status: 400, xml: { ArgumentName: 'x-oss-meta-a' } });
      expect((await oss.post(change({ 'x-oss-meta-a': 'x'.repeat(room) }))).status).toBe(204);
    });
  });

  describe('a key with ${filename}', () => {
    it.each([
      ['name="file"; filename="a.bin"', 'up/${filename}', 'up/a.bin'],
      ['name="file"; filename="C:\\\\dir\\\\a.bin"', 'up/${filename}', 'up/a.bin'],
      ['name="file"; filename="C:\\dir\\a.bin"', 'up/${filename}', 'up/a.bin'],
      ['name="file"; filename="../../a.bin"', 'up/${filename}', 'up/a.bin'],
      ['name="file"; filename="固件.bin"', 'up/${filename}', 'up/固件.bin'],
      ['name="file"; filename="a\\"b.bin"', 'up/${filename}', 'up/a"b.bin'],
      ['name="file"; filename="a%22b.bin"', 'up/${filename}', 'up/a"b.bin'],
      ['name="file"; filename="a%0D%0Ab.bin"', 'up/${filename}', 'up/a\r\nb.bin'],
      ['name="file"; filename="report\\"', 'up/${filename}', 'up/report\\'],
      ['name="file"; filename="lamp "A" v1.bin"', 'up/${filename}', 'up/lamp "A" v1.bin'],
      [`name="file"; filename="x"; filename*=UTF-8''%E5%9B%BA.bin`, 'up/${filename}', 'up/固.bin'],
      [`name="file"; filename="x"; filename*=gbk''%B9%CC.bin`, 'up/${filename}', 'up/x'],
      ['name="file"', 'up/${filename}', 'up/'],
      ['name="file"; filename="a"', '${filename}/${filename}', 'a/a'],
      ['name="file"; filename="${filename}"', 'up/${filename}', 'up/${filename}'],
    ])('is expanded for %s: %s', async (disposition, key, expanded) => {
      const form = change({ key, 'x-oss-meta-raw': '${filename}' });
      form.fileHeaders = [`Content-Disposition: form-data; ${disposition}`];
      form.policy.conditions = [['eq', '$key', key]];
      expect((await oss.post(form)).status).toBe(204);
      expect((await oss.stored(expanded))?.object.headers['x-oss-meta-raw']).toBe('${filename}');
    });
  });

  describe('an existing object', () => {
    const formFor = (key: string, fields: Readonly<Record<string, string>> = {}): Form => {
      const form = change({ ...fields, key });
      form.policy.conditions = [['eq', '$key', key]];
      return form;
    };

    it('is replaced when it is not claimed', async () => {
      await oss.post(formFor('replaced'));
      const form = formFor('replaced');
      form.file = 'second';
      expect((await oss.post(form)).status).toBe(204);
      expect((await oss.read('replaced')).toString()).toBe('second');
    });

    it.each(['true', 'TRUE'])(
      'is not replaced when x-oss-forbid-overwrite is %s',
      async (value) => {
        const form = formFor(`kept-${value}`, { 'x-oss-forbid-overwrite': value });
        expect((await oss.post(form)).status).toBe(204);
        form.file = 'second';
        const response = await oss.post(form);
        expect(response.status).toBe(409);
        expect(response.xml).toMatchObject({
          Code: 'FileAlreadyExists',
          Message: 'The object you specified already exists and can not be overwritten.',
        });
        expect((await oss.read(`kept-${value}`)).toString()).toBe('firmware');
      },
    );

    it('is replaced with x-oss-forbid-overwrite=false', async () => {
      const form = formFor('free', { 'x-oss-forbid-overwrite': 'false' });
      expect([(await oss.post(form)).status, (await oss.post(form)).status]).toEqual([204, 204]);
    });
  });

  it('never replaces a file of a firmware package', async () => {
    const { ledger } = oss.gateway.records;
    expect((await oss.post(validForm())).status).toBe(204);
    const locator = (await oss.stored(KEY))?.object.locator ?? '';
    const md5 = MD5.toLowerCase();
    const claimed = await ledger.claim({
      package: {
        ...{ id: 'p', accountId: 'a', name: 'n', destVersion: '1', differential: false },
        ...{ moduleName: 'default', signMethod: 'MD5', status: -1, verifyProgress: 0 },
        ...{ createdAt: 0, modifiedAt: 0, files: [{ key: KEY, size: 8, sign: md5, md5 }] },
      },
      locators: [locator],
      storedAfter: 0,
      maxPackages: 10,
    });
    expect(claimed).toEqual({ kind: 'claimed' });
    const response = await oss.post(validForm());
    expect(response.status).toBe(409);
    expect(response.xml).toMatchObject({
      Code: 'FileImmutable',
      Message: 'The object you specified is immutable.',
    });
  });
});
