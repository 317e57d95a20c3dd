import { ManualClock } from '../../src/lib/clock.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { replay, SDK_REQUESTS } from '../support/sdk-requests.ts';
import type { SdkRequest, SdkResponse } from '../support/sdk-requests.ts';
import { startTestGateway } from '../support/gateways.ts';

const SESSIONS = [...new Set(SDK_REQUESTS.map(({ session }) => session))];

let gateway: TestGateway | undefined;

afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

/** Sends requests in their order, each at its time, to a new gateway. */
async function replayAll(requests: readonly SdkRequest[]): Promise<SdkResponse[]> {
  const clock = new ManualClock(requests[0]?.at);
  gateway = await startTestGateway({ clock, parts: { wallClock: clock } });
  const { url } = await gateway.listen();
  const responses: SdkResponse[] = [];
  for (const each of requests) {
    clock.set(each.at);
    responses.push(await replay(Number(new URL(url).port), each));
  }
  return responses;
}

const seen = ({ answer, code, status }: SdkResponse): SdkResponse => ({
  status,
  ...(code !== undefined && { code }),
  ...(answer !== undefined && { answer }),
});

/** Changes the first character of the signature: in the URL, the header, the body, or a part of the form. */
function withOtherSignature(recorded: SdkRequest): SdkRequest {
  const edit = (part: string): string =>
    part.replace(
      /((?:\b|-)signature=|OSS bucketid:|signature"\r\n\r\n)([^&])/i,
      (_, before: string, first: string) => before + (first === 'a' ? 'b' : 'a'),
    );
  const { body, rawHeaders, url } = recorded;
  return { ...recorded, url: edit(url), rawHeaders: rawHeaders.map(edit), body: edit(body) };
}

describe.each(SESSIONS)('the session of %s', (session) => {
  const requests = SDK_REQUESTS.filter((each) => each.session === session);

  it('gets the recorded responses', async () => {
    expect(await replayAll(requests)).toEqual(requests.map(seen));
  });

  it('fails at every request whose signature has another first character, and goes on after it', async () => {
    const pairs = requests.flatMap((each) => [withOtherSignature(each), each]);
    expect(new Set(pairs.map((each) => JSON.stringify(each))).size).toBe(pairs.length);
    const responses = await replayAll(pairs);
    const refused = responses.filter((_, index) => index % 2 === 0);
    expect(refused).toEqual(
      requests.map(({ answer, service }) => ({
        status: service === 'iot' ? 400 : 403,
        code: 'SignatureDoesNotMatch',
        ...(answer !== undefined && {
          answer: expect.stringContaining('<Code>SignatureDoesNotMatch</Code>') as string,
        }),
      })),
    );
    expect(responses.filter((_, index) => index % 2 === 1)).toEqual(requests.map(seen));
  });
});

it('has a session for each SDK and signature version', () => {
  expect(SESSIONS).toEqual([
    'aliyun-python-sdk-core 2.16.0 V1',
    'alibabacloud_tea_openapi 0.4.4 V3',
    'alibabacloud_tea_openapi 0.4.4 V1',
    'alibabacloud_oss_v2 1.3.2 V1',
    'alibabacloud_oss_v2 1.3.2 V4',
    'alibabacloud_oss_v2 1.3.2, sample post_object.py',
    'oss2 2.19.1 V1',
    'oss2 2.19.1 V4',
  ]);
});
