import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { generateOTAUploadURL } from '../../../src/client/api-client.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { beginToPost, tlsApiOf } from '../../support/tls-client.ts';

// Needs openssl to create the certificates; CI has it installed.
describeWith('openssl', 'SIGHUP for a gateway with a certificate', () => {
  const folder = folderForEachTest();
  const file = (name: string): string => join(folder.path, name);

  async function createPair(name: string, days: number): Promise<PrivateCa> {
    await mkdir(file(name));
    return createPrivateCa(file(name), days);
  }

  async function install({ certFile, keyFile }: PrivateCa): Promise<void> {
    await copyFile(certFile, file('tls.pem'));
    await copyFile(keyFile, file('tls.key'));
  }

  const start = (): Promise<BuiltGateway> =>
    startBuiltGateway(file('data'), {
      OTA_GATEWAY_TLS_CERT: file('tls.pem'),
      OTA_GATEWAY_TLS_KEY: file('tls.key'),
    });

  it('gives new connections the new certificate, and lets an upload go on', async () => {
    const first = await createPair('first', 2);
    const second = await createPair('second', 60);
    await install(first);
    const gateway = await start();
    await eventually(() => gateway.output().includes('the certificate expires on'));
    expect(linesWith(gateway, 'the certificate expires on')).toEqual([
      expect.objectContaining({ level: 40, tlsCert: file('tls.pem') }),
    ]);
    const grant = await generateOTAUploadURL(tlsApiOf(gateway.url, first.ca));
    const postTheRest = await beginToPost(grant, { ca: first.ca });

    await install(second);
    process.kill(gateway.pid, 'SIGHUP');
    await eventually(() => gateway.output().includes('read the certificate again'));
    expect(await isTrusted(gateway, second)).toBe(true);
    expect(await isTrusted(gateway, first)).toBe(false);
    expect(await postTheRest()).toBe(200);
    // The new certificate lasts long enough.
    expect(linesWith(gateway, 'the certificate expires on')).toHaveLength(1);
    expect(await gateway.stop()).toBe(0);
  });

  it('keeps the old certificate when the key does not belong to the new one', async () => {
    const first = await createPair('first', 60);
    const second = await createPair('second', 60);
    await install(first);
    const gateway = await start();
    await copyFile(second.certFile, file('tls.pem'));
    process.kill(gateway.pid, 'SIGHUP');
    const text = 'the certificate cannot be used; the old one stays';
    await eventually(() => gateway.output().includes(text));
    const settings = 'OTA_GATEWAY_TLS_CERT and OTA_GATEWAY_TLS_KEY: the key ';
    expect(linesWith(gateway, text)).toEqual([
      expect.objectContaining({
        level: 50,
        err: expect.objectContaining({
          message: expect.stringContaining(settings) as unknown,
        }) as unknown,
      }),
    ]);
    expect(await isTrusted(gateway, first)).toBe(true);

    await copyFile(second.keyFile, file('tls.key'));
    process.kill(gateway.pid, 'SIGHUP');
    await eventually(() => isTrusted(gateway, second));
    expect(await gateway.stop()).toBe(0);
  });
});

function linesWith(gateway: BuiltGateway, text: string): unknown[] {
  const lines = gateway.output().split('\n');
  return lines.filter((line) => line.includes(text)).map((line): unknown => JSON.parse(line));
}

/** @returns whether a new connection to the gateway gets a certificate of an authority */
async function isTrusted({ port }: BuiltGateway, { ca }: PrivateCa): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', ca, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.authorized;
  } finally {
    socket.destroy();
  }
}
