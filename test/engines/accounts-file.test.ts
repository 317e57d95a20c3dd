import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateOTAUploadURL } from '../../src/client/api-client.ts';
import { eventually, temporaryFolder } from '../support/built-gateway.ts';
import { apiOf, codeOf } from '../support/loop.ts';
import { startNodes } from './support/nodes.ts';

const OLD = { id: 'oldid', secret: 'oldsecret' };
const NEW = { id: 'newid', secret: 'newsecret' };

const signWith = (url: string, key: typeof OLD): Promise<unknown> =>
  codeOf(generateOTAUploadURL(apiOf(url, key), { FileSuffix: 'bin' }));

it('all gateways read the accounts file again when it changes, and keep the accounts when it is wrong', async () => {
  const { path: folder, remove } = await temporaryFolder();
  const path = join(folder, 'accounts.json');
  // As editors and configuration management do: a program never sees half a file.
  const replace = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  };
  const accountsWith = (...accessKeys: object[]): string =>
    JSON.stringify({ accounts: [{ id: 'acme', operator: true, accessKeys }] });
  await replace(accountsWith(OLD));
  const nodes = await startNodes(2, {
    environment: {
      OTA_GATEWAY_ACCESS_KEY_ID: '',
      OTA_GATEWAY_ACCESS_KEY_SECRET: '',
      OTA_GATEWAY_ACCOUNTS_FILE: path,
    },
  });
  const urls = [nodes.url(0), nodes.url(1)];
  const codes = (key: typeof OLD): Promise<unknown[]> =>
    Promise.all(urls.map((url) => signWith(url, key)));
  const allSaid = (text: string) => (): boolean =>
    nodes.running.every(({ output }) => output().includes(text));
  try {
    expect(await codes(OLD)).toEqual(['ok', 'ok']);
    expect(await codes(NEW)).not.toContain('ok');

    await replace('{');
    await eventually(allSaid('the accounts file cannot be used; the old accounts stay'), 30_000);
    expect(await codes(OLD)).toEqual(['ok', 'ok']);

    await replace(accountsWith(NEW));
    await eventually(allSaid('read the accounts file again'), 30_000);
    expect(await codes(NEW)).toEqual(['ok', 'ok']);
    expect(await codes(OLD)).not.toContain('ok');
  } finally {
    await nodes.dispose();
    await remove();
  }
});
