import { XMLParser, XMLValidator } from 'fast-xml-parser';
import fc from 'fast-check';
import { businessError, gatewayError } from '../../../src/iot/errors.ts';
import { renderBusinessError, renderGatewayError, renderResult } from '../../../src/iot/render.ts';

const ID = 'B6E77674-09C4-4647-BF85-59CB72A72E4B';
const PROLOG = "<?xml version='1.0' encoding='UTF-8'?>";

const throttled = gatewayError(
  'Throttling.User',
  { operation: 'A', times: '1 time', wait: '5' },
  { 'x-acs-retry-after': '300' },
);
const nameless = businessError('iot.firmware.NullFirmwareName', {
  reason: 'must be given.',
  parameter: 'FirmwareName',
});

describe('JSON', () => {
  it('renders a result', () => {
    const body = { Data: { Key: 'k', Size: 5 }, RequestId: ID, Success: true };
    expect(renderResult('json', 'Do', body)).toEqual({
      status: 200,
      headers: { 'Content-Type': 'application/json; charset=UTF-8' },
      text: `{"Data":{"Key":"k","Size":5},"RequestId":"${ID}","Success":true}`,
    });
  });

  it('renders a refusal of an operation', () => {
    const { status, text } = renderBusinessError('json', 'Do', nameless, ID);
    expect(status).toBe(200);
    expect(text).toBe(
      `{"RequestId":"${ID}","Success":false,"Code":"iot.firmware.NullFirmwareName","ErrorMessage":"FirmwareName is empty: it must be given."}`,
    );
  });

  it('renders a refusal of the gateway', () => {
    const response = renderGatewayError('json', throttled, ID, 'host:1');
    expect(response.status).toBe(400);
    expect(response.headers).toEqual({
      'Content-Type': 'application/json; charset=UTF-8',
      'x-acs-retry-after': '300',
    });
    expect(Object.keys(JSON.parse(response.text))).toEqual([
      'RequestId',
      'HostId',
      'Code',
      'Message',
      'Recommend',
    ]);
  });
});

describe('XML', () => {
  it('renders a result', () => {
    const body = { Data: { Key: 'k', Url: 'http://x/y' }, RequestId: ID, Success: true };
    expect(renderResult('xml', 'Do', body)).toEqual({
      status: 200,
      headers: { 'Content-Type': 'text/xml;charset=utf-8' },
      text: `${PROLOG}<DoResponse><Data><Key>k</Key><Url>http://x/y</Url></Data><RequestId>${ID}</RequestId><Success>true</Success></DoResponse>`,
    });
  });

  it('renders a refusal of the gateway as quoted in openapi-sdk-php#175', () => {
    const { text } = renderGatewayError('xml', throttled, ID, 'h');
    expect(text).toBe(
      `${PROLOG}<Error><RequestId>${ID}</RequestId><HostId>h</HostId><Code>Throttling.User</Code>` +
        '<Message>Request was denied due to user flow control. A may be called 1 time per second and account (OTA_GATEWAY_QPS); try again in 5 ms.</Message>' +
        `<Recommend><![CDATA[https://api.aliyun.com/troubleshoot?q=Throttling.User&product=Iot&requestId=${ID}]]></Recommend></Error>`,
    );
  });

  it('renders lists, empty lists and empty texts', () => {
    const body = { List: { Item: [{ A: 1 }, { A: 2 }] }, None: { Item: [] }, Text: '' };
    expect(renderResult('xml', 'Do', body).text).toBe(
      `${PROLOG}<DoResponse><List><Item><A>1</A></Item><Item><A>2</A></Item></List><None></None><Text></Text></DoResponse>`,
    );
  });

  it('writes a URL with a query as CDATA, and escapes other texts with an ampersand', () => {
    const body = { FirmwareUrl: 'http://x?a=1&b=2', Udi: 'a&b', Url: 'a]]>&b' };
    expect(renderResult('xml', 'Do', body).text).toContain(
      '<FirmwareUrl><![CDATA[http://x?a=1&b=2]]></FirmwareUrl><Udi>a&amp;b</Udi><Url>a]]&gt;&amp;b</Url>',
    );
  });

  it('keeps every text, except characters that XML cannot contain', () => {
    const parser = new XMLParser({ trimValues: false, parseTagValue: false, htmlEntities: true });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        const xml = renderResult('xml', 'Do', { Udi: text }).text;
        expect(XMLValidator.validate(xml)).toBe(true);
        const carried = text.replace(
          /[\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{d800}-\u{dfff}\u{fffe}\u{ffff}]/gu,
          '\ufffd',
        );
        expect(parser.parse(xml).DoResponse.Udi).toBe(carried);
      }),
    );
  });
});
