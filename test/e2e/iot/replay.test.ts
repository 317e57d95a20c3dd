import { signV1 } from '../../http/iot/api.ts';
import { startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { ACCOUNT_KEY } from '../../support/built-gateway.ts';

const END = {
  'a stop': (gateway: BuiltGateway) => gateway.stop(),
  'a kill': (gateway: BuiltGateway) => gateway.kill(),
};

describe('a repeated call', () => {
  it.each(Object.entries(END))('is refused after %s and a new start', async (_case, end) => {
    const folder = await temporaryFolder();
    const dataDir = `${folder.path}/data`;
    // Signature V1 does not cover the host, so the call stays the same on another port.
    const call = signV1('GenerateOTAUploadURL', {}, { key: ACCOUNT_KEY, time: Date.now() });
    const make = async ({ url }: BuiltGateway): Promise<unknown> =>
      (await fetch(`${url}/?${new URLSearchParams(call).toString()}`)).json();

    const first = await startBuiltGateway(dataDir);
    expect(await make(first)).toMatchObject({ Success: true });
    await end(first);
    const second = await startBuiltGateway(dataDir);
    expect(await make(second)).toMatchObject({
      Code: 'SignatureNonceUsed',
      Message: expect.stringMatching(/^Specified signature nonce was used already\./),
    });
    expect(await second.stop()).toBe(0);
    await folder.remove();
  });
});
