const assert = require('node:assert/strict');
const { once } = require('node:events');
const { after, afterEach, before, test } = require('node:test');
const { startTestGateway } = require('ota-upload-gateway/testing');
const { createApp } = require('./app.js');

let gateway;
let server;
let url;
before(async () => {
  gateway = await startTestGateway();
  server = createApp(gateway).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}`;
});
afterEach(() => gateway.reset());
after(async () => {
  server.close();
  server.closeAllConnections();
  await gateway.close();
});

function postFirmware(bytes) {
  const form = new FormData();
  form.set('firmware', new Blob([bytes]), 'lamp.bin');
  return fetch(`${url}/firmware`, { method: 'POST', body: form });
}

async function statesOf() {
  return (await gateway.snapshot()).uploads.map(({ state }) => state);
}

test('keeps a file that becomes a release', async () => {
  const { key } = await (await postFirmware('firmware')).json();
  const response = await fetch(`${url}/releases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key, name: 'lamp', version: '1.0.0' }),
  });
  assert.equal(response.status, 201);
  gateway.clock.advance({ days: 1 });
  await gateway.purgeUnclaimed();
  assert.deepEqual(await statesOf(), ['claimed']);
});

test('purges a file that does not', async () => {
  assert.equal((await postFirmware('firmware')).status, 201);
  gateway.clock.advance({ minutes: 61 });
  await gateway.purgeUnclaimed();
  assert.deepEqual(await statesOf(), ['purged']);
});

test('leaves nothing of a file that is too large', async () => {
  assert.equal((await postFirmware(Buffer.alloc(2_000_000))).status, 413);
  assert.deepEqual(await statesOf(), []);
});
