import { once } from 'node:events';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { generateOTAUploadURL } from '../../../src/client/api-client.ts';
import { eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';
import { beginToPost, tlsApiOf } from '../../support/tls-client.ts';

// Needs openssl to create the certificates; CI has it installed.
describeWith('openssl', 'SIGHUP for a gateway with a certificate', () => {
  let first: PrivateCa;
  let second: PrivateCa;

  const gateway = gatewayForSuite(async (folder) => {
    for (const name of ['first', 'second']) await mkdir(join(folder, name));
    first = createPrivateCa(join(folder, 'first'), 2);
    second = createPrivateCa(join(folder, 'second'), 60);
    await install(folder, first);
    return startBuiltGateway(join(folder, 'data'), {
      OTA_GATEWAY_TLS_CERT: join(folder, 'tls.pem'),
      OTA_GATEWAY_TLS_KEY: join(folder, 'tls.key'),
      OTA_GATEWAY_READY_FILE: join(folder, 'ready.json'),
    });
  });

  /** Installs a pair, and lets the gateway read it. @returns what it logs of certificates up to a text */
  async function reload(certificate: PrivateCa, key: PrivateCa, text: string): Promise<unknown[]> {
    const { length } = gateway.output();
    const { pid } = JSON.parse(await readFile(join(gateway.folder, 'ready.json'), 'utf8'));
    await install(gateway.folder, { certFile: certificate.certFile, keyFile: key.keyFile });
    process.kill(pid, 'SIGHUP');
    await eventually(() => gateway.output().slice(length).includes(text));
    // The line of a call before it may come later: lines are written together.
    return linesWith(gateway.output().slice(length), 'certificate');
  }

  it('finds a warning of the start that the certificate expires soon', async () => {
    await eventually(() => gateway.output().includes('the certificate expires on'));
    expect(linesWith(gateway.output(), 'the certificate expires on')).toEqual([
      expect.objectContaining({ tlsCert: join(gateway.folder, 'tls.pem') }),
    ]);
  });

  it('keeps the old certificate when the key does not belong to the new one', async () => {
    const text = 'the certificate cannot be used; the old one stays';
    const lines = await reload(second, first, text);
    const settings = 'OTA_GATEWAY_TLS_CERT and OTA_GATEWAY_TLS_KEY: the key ';
    const err: unknown = expect.objectContaining({
      message: expect.stringContaining(settings) as unknown,
    });
    expect(lines).toEqual([expect.objectContaining({ msg: text, err })]);
    expect(await isTrusted(gateway.port, first)).toBe(true);
  });

  it('gives new connections the new certificate, and lets an upload go on', async () => {
    const grant = await generateOTAUploadURL(tlsApiOf(gateway.url, first.ca));
    const postTheRest = await beginToPost(grant, { ca: first.ca });
    const lines = await reload(second, second, 'read the certificate again');
    // The new one lasts long enough, so there is no warning.
    expect(lines).toHaveLength(1);
    expect(await isTrusted(gateway.port, second)).toBe(true);
    expect(await isTrusted(gateway.port, first)).toBe(false);
    expect(await postTheRest()).toBe(200);
  });
});

type Pair = Pick<PrivateCa, 'certFile' | 'keyFile'>;

async function install(folder: string, { certFile, keyFile }: Pair): Promise<void> {
  await copyFile(certFile, join(folder, 'tls.pem'));
  await copyFile(keyFile, join(folder, 'tls.key'));
}

function linesWith(output: string, text: string): unknown[] {
  const lines = output.split('\n');
  return lines.filter((line) => line.includes(text)).map((line): unknown => JSON.parse(line));
}

/** @returns whether a new connection to the gateway gets a certificate of an authority */
async function isTrusted(port: number, { ca }: PrivateCa): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', ca, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.authorized;
  } finally {
    socket.destroy();
  }
}
