import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import express from 'express';
import type { TestGateway, TestGatewayOptions } from '../../src/testing/index.ts';
import { formatDateV4 } from '../../src/signatures/credential-v4.ts';
import { SDK_CLIENTS } from '../support/sdk-clients.ts';
import { signUrlV4 } from '../support/signed-url.ts';
import { startTestGateway } from '../support/gateways.ts';

/** A host application, which has mounted a gateway below a path. */
interface Mounted extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** Scheme, host and port of the application. */
  readonly url: string;
}

async function mount(path: string, options: TestGatewayOptions = {}): Promise<Mounted> {
  const gateway = await startTestGateway(options);
  const server = createServer(express().use(path, gateway.app));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    gateway,
    url: urlOf(server),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await gateway.close();
    },
  };
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return `http://127.0.0.1:${String(address.port)}`;
}

interface Grant {
  readonly Host: string;
  readonly Key: string;
  readonly Policy: string;
  readonly OSSAccessKeyId: string;
  readonly Signature: string;
  readonly FirmwareUrl: string;
}

type Call = (action: string, parameters?: Record<string, string | number>) => Promise<unknown>;

function callerOf(gateway: TestGateway, url: string, name: string): Call {
  const client = SDK_CLIENTS.find((each) => each.name === name);
  if (client === undefined) throw new Error(`no client ${name}`);
  const caller = { url, key: gateway.accessKey };
  return (action, parameters) => client.call(caller, action, parameters);
}

function formOf(grant: Grant, bytes: string): FormData {
  const form = new FormData();
  form.append('key', grant.Key);
  form.append('policy', grant.Policy);
  form.append('OSSAccessKeyId', grant.OSSAccessKeyId);
  form.append('signature', grant.Signature);
  form.append('success_action_status', '201');
  form.append('file', new Blob([bytes]), 'firmware.bin');
  return form;
}

/** Makes a firmware package of a posted file. @returns its signed download URL */
async function claim(call: Call, { FirmwareUrl }: Grant): Promise<string> {
  const parameters = { FirmwareName: 'lamp', DestVersion: '1.0.0', FirmwareUrl };
  const { FirmwareId } = Object(await call('CreateOTAFirmware', parameters)).Data;
  const queried = Object(await call('QueryOTAFirmware', { FirmwareId })).FirmwareInfo;
  expect(queried.FirmwareUrl.startsWith(`${FirmwareUrl}?`)).toBe(true);
  return queried.FirmwareUrl;
}

const POP_CORE = 'pop-core, POST';

describe('a gateway that an Express application mounts below a path', () => {
  it.each([
    ['/ota', POP_CORE],
    ['/iotx-ota', POP_CORE],
    ['/a/b%20c', POP_CORE],
    ...SDK_CLIENTS.map(({ name }): [string, string] => ['/oss', name]),
  ])('serves the complete loop at %s with %s', async (path, name) => {
    await using mounted = await mount(path);
    const { gateway, url } = mounted;
    const call = callerOf(gateway, url + path, name);
    const grant: Grant = Object(await call('GenerateOTAUploadURL')).Data;
    expect(grant.Host).toBe(url + path);
    expect(grant.FirmwareUrl).toBe(`${url}${path}/${grant.Key}`);

    const posted = await fetch(grant.Host, { method: 'POST', body: formOf(grant, 'firmware') });
    expect(posted.status).toBe(201);
    expect(await posted.text()).toContain(`<Location>${grant.FirmwareUrl}</Location>`);

    expect(await (await fetch(await claim(call, grant))).text()).toBe('firmware');
  });

  it.each(['/oss', '/oss/'])('serves the client of the test kit at %s', async (path) => {
    await using mounted = await mount('/oss');
    const { gateway, url } = mounted;
    const grant = await gateway.apiFor(url + path).generateOTAUploadURL();
    expect(grant.host).toBe(`${url}/oss`);
    expect(await gateway.postObjectTo(grant.host, grant, 'firmware')).toMatchObject({
      status: 200,
    });
  });

  it('serves a URL signed by version 4', async () => {
    await using mounted = await mount('/oss', { publicRead: false });
    const { gateway, url } = mounted;
    const { key } = await gateway.seed({ state: 'stored', bytes: 'firmware' });
    const { bucketKey, clock, config } = gateway;
    const query = signUrlV4({
      ...{ accessKeyId: bucketKey.id, secret: bucketKey.secret, region: config.region },
      ...{ bucket: config.bucket, key, method: 'GET', expires: 60 },
      date: formatDateV4(clock.now()),
      headers: new Map([['host', new URL(url).host]]),
      additionalHeaders: ['host'],
    });
    const response = await fetch(`${url}/oss/${key}?${new URLSearchParams(query).toString()}`);
    expect(await response.text()).toBe('firmware');
  });

  it('names the public URL, if there is one, instead of its mount path', async () => {
    await using mounted = await mount('/oss', { publicUrl: 'https://ota.example/gw' });
    const { gateway, url } = mounted;
    const call = callerOf(gateway, `${url}/oss`, POP_CORE);
    const grant: Grant = Object(await call('GenerateOTAUploadURL')).Data;
    expect(grant.Host).toBe('https://ota.example/gw');
    expect(grant.FirmwareUrl).toBe(`https://ota.example/gw/${grant.Key}`);
    const posted = await fetch(`${url}/oss`, { method: 'POST', body: formOf(grant, 'firmware') });
    expect(await posted.text()).toContain(`<Location>${grant.FirmwareUrl}</Location>`);
    const signed = await claim(call, grant);
    const download = await fetch(signed.replace('https://ota.example/gw', `${url}/oss`));
    expect(await download.text()).toBe('firmware');
  });
});
