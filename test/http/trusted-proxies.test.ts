import multer from 'multer';
import express from 'express';
import request from 'supertest';
import { gatewayStorage } from '../../src/multer/index.ts';
import { HOST, signV3 } from './iot/api.ts';
import { startTestGateway } from '../support/gateways.ts';

const FORWARDED = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' };

/** @returns the FirmwareUrl that a call through a proxy on this machine gets */
async function firmwareUrl(trustedProxies: string): Promise<string> {
  await using gateway = await startTestGateway({ trustedProxies });
  const { accessKey: key, clock } = gateway;
  const { headers } = signV3('GenerateOTAUploadURL', {}, { key, time: clock.now() });
  const response = await request(gateway.app)
    .post('/')
    .set({ ...headers, ...FORWARDED });
  return response.body.Data.FirmwareUrl;
}

/** @returns the firmwareUrl that multer's storage engine makes of a form through a proxy on this machine */
async function firmwareUrlOfMulter(trustedProxies: string): Promise<string> {
  await using gateway = await startTestGateway({ trustedProxies });
  const app = express();
  const upload = multer({ storage: gatewayStorage(gateway) });
  app.post('/firmware', upload.single('file'), (req, res) => res.json(req.file));
  const response = await request(app)
    .post('/firmware')
    .set({ ...FORWARDED, host: HOST })
    .attach('file', Buffer.from('firmware'), 'fw.bin');
  return response.body.firmwareUrl;
}

describe.each([
  ['FirmwareUrl', firmwareUrl],
  ['firmwareUrl of the storage engine for multer', firmwareUrlOfMulter],
])('the %s', (_, get) => {
  it('has the scheme of the client when the proxy is trusted', async () => {
    expect(await get('127.0.0.1, ::1')).toMatch(new RegExp(`^https://${HOST}/`));
  });

  it('has the scheme of the connection when the proxy is not trusted', async () => {
    expect(await get('192.0.2.0/24')).toMatch(new RegExp(`^http://${HOST}/`));
  });
});
