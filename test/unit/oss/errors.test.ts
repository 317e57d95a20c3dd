import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { renderOssError } from '../../../src/oss/error-response.ts';
import { argument, OssError, ossError } from '../../../src/oss/errors.ts';
import { flatXml } from '../../../src/oss/flat-xml.ts';

async function render(
  error: OssError,
  method = 'GET',
): Promise<Response & { readonly xml: string }> {
  const server = createServer((_, response) => {
    renderOssError(response, error, { requestId: '5C3D9175B6FC201293AD', host: 'b.oss.test' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${String(port)}/`, { method });
  const xml = await response.text();
  server.closeAllConnections();
  server.close();
  return Object.assign(response, { xml });
}

describe('renderOssError', () => {
  it('writes the elements in the documented order, further ones before the EC', async () => {
    const error = ossError('FieldItemTooLong', {
      elements: { MaxSizeAllowed: '8192', ProposedSize: '10485760' },
    });
    const { status, headers, xml } = await render(error);
    expect(status).toBe(400);
    expect(xml).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<Error>',
        '  <Code>FieldItemTooLong</Code>',
        '  <Message>Your name of form field is too long.</Message>',
        '  <RequestId>5C3D9175B6FC201293AD</RequestId>',
        '  <HostId>b.oss.test</HostId>',
        '  <MaxSizeAllowed>8192</MaxSizeAllowed>',
        '  <ProposedSize>10485760</ProposedSize>',
        '  <EC>0006-00000110</EC>',
        '  <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0006-00000110</RecommendDoc>',
        '</Error>',
        '',
      ].join('\n'),
    );
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/xml',
      'content-length': String(xml.length),
      'x-oss-request-id': '5C3D9175B6FC201293AD',
      'x-oss-server-time': '0',
      'x-oss-ec': '0006-00000110',
    });
  });

  it('leaves out unknown elements', async () => {
    const { headers, xml } = await render(ossError('FileImmutable'));
    expect(xml).not.toMatch(/<(EC|RecommendDoc)>/);
    expect(headers.has('x-oss-ec')).toBe(false);
  });

  it('sends only the headers for HEAD', async () => {
    const { status, headers, xml } = await render(ossError('NoSuchKey'), 'HEAD');
    expect([status, xml]).toEqual([404, '']);
    expect(headers.get('content-type')).toBe('application/xml');
  });

  it('escapes any text', async () => {
    const nasty = `<a href="x">&amp;'</a>]]>\u0000\u0001\u001f\ufffe\ud800 \u{1f600}固`;
    const { xml } = await render(
      new OssError('InvalidArgument', { message: nasty, elements: argument('field', nasty) }),
    );
    expect(XMLValidator.validate(xml)).toBe(true);
    const { Error: error } = new XMLParser({ trimValues: false }).parse(xml);
    const expected = `<a href="x">&amp;'</a>]]>\ufffd\ufffd\ufffd\ufffd\ufffd \u{1f600}固`;
    expect(error).toMatchObject({ Message: expected, ArgumentValue: expected });
  });
});

describe('ossError', () => {
  it('uses the default cause for a name without a cause', () => {
    expect(ossError('MalformedPOSTRequest')).toMatchObject({
      code: 'MalformedPOSTRequest',
      status: 400,
      ec: '0006-00000104',
      message: 'The body of your POST request is not well-formed multipart/form-data.',
    });
  });

  it('uses the code of another cause, and the default message if it has none', () => {
    const { message } = ossError('IncorrectNumberOfFilesInPOSTRequest');
    expect(ossError('IncorrectNumberOfFilesInPOSTRequest.second')).toMatchObject({
      code: 'IncorrectNumberOfFilesInPOSTRequest',
      ec: undefined,
      message,
    });
  });

  it('fills in the values', () => {
    const error = ossError('AccessDenied.publicAcl', { values: { acl: 'public-read' } });
    expect([error.code, error.status]).toEqual(['AccessDenied', 403]);
    expect(error.message).toContain('The object ACL public-read is not allowed');
  });
});

describe('flatXml', () => {
  it('writes empty elements with both tags', () => {
    expect(flatXml('A', { B: '' })).toContain('<B></B>');
  });
});
