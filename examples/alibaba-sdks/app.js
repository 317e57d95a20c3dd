const { default: Iot, ...iot } = require('@alicloud/iot20180120');
const { Config } = require('@alicloud/openapi-client');
const express = require('express');

/**
 * A release service: it stages a firmware on Alibaba Cloud IoT Platform, and tells a chat about it.
 * @param platform - of the platform in production, of a gateway in tests: endpoint, protocol and access key
 */
function createApp({ platform, chatUrl }) {
  const client = new Iot(new Config({ regionId: 'cn-shanghai', ...platform }));

  const app = express();
  app.post('/releases/:name/:version', express.raw({ limit: '100mb' }), async (req, res) => {
    const { name, version } = req.params;
    const key = await stage(client, name, version, req.body);
    await fetch(chatUrl, { method: 'POST', body: `${name} ${version} is staged` });
    res.status(201).json({ key });
  });
  app.use((error, _req, res, _next) => {
    res.status(502).json({ error: error.message });
  });
  return app;
}

async function stage(client, firmwareName, destVersion, bytes) {
  const signed = await client.generateOTAUploadURL(
    new iot.GenerateOTAUploadURLRequest({ fileSuffix: 'bin' }),
  );
  const { firmwareUrl, key } = signed.body.data;
  await upload(signed.body.data, bytes);
  const { body } = await client.createOTAFirmware(
    new iot.CreateOTAFirmwareRequest({
      firmwareName,
      destVersion,
      firmwareUrl,
      firmwareSize: bytes.length,
    }),
  );
  if (!body.success) throw new Error(body.code);
  return key;
}

/** Posts the form that GenerateOTAUploadURL has signed; once more after 10 seconds when OSS is too busy. */
async function upload(data, bytes, tries = 2) {
  const form = new FormData();
  form.set('key', data.key);
  form.set('policy', data.policy);
  form.set('OSSAccessKeyId', data.OSSAccessKeyId);
  form.set('signature', data.signature);
  form.set('success_action_status', '200');
  form.set('file', new Blob([bytes]), 'firmware.bin');
  const response = await fetch(data.host, { method: 'POST', body: form });
  if (response.ok) return;
  const { 1: code } = /<Code>(.*)<\/Code>/.exec(await response.text()) ?? [];
  if (response.status !== 503 || tries === 1) throw new Error(code);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  await upload(data, bytes, tries - 1);
}

module.exports = { createApp };
