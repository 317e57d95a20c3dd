// A correct client in a separate process, so that it waits for the gateway and not for the other clients of its test:
// see clients.test.ts. It runs the built files, because Node does not run TypeScript.
const { Buffer } = require('node:buffer');
const { randomUUID } = require('node:crypto');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const { generateOTAUploadURL } = require('../../../dist/client/api-client.js');
const { formFields, postObject } = require('../../../dist/client/post-object.js');
const { wallClock } = require('../../../dist/lib/clock.js');

const BYTES = Buffer.alloc(2000, 'healthy');
const PAUSE_MS = 10;
const MOST_UPLOADS = 20_000;

const [, , endpoint, accessKeyId, accessKeySecret] = process.argv;
const api = { endpoint, accessKeyId, accessKeySecret, clock: wallClock, nonce: randomUUID };

async function upload() {
  const grant = await generateOTAUploadURL(api, { FileSuffix: 'bin' });
  const file = { name: 'firmware.bin', size: BYTES.length, bytes: [BYTES] };
  const { status } = await postObject(grant.host, formFields(grant), file);
  if (status !== 200) throw new Error(`an upload was answered with ${status}`);
}

let measurement = { goesOn: false, times: [], done: Promise.resolve() };

async function measure(own, enough) {
  while (own.goesOn && own.times.length < MOST_UPLOADS) {
    const from = performance.now();
    await upload();
    own.times.push(performance.now() - from);
    if (own.times.length === enough) process.send('enough');
    await sleep(PAUSE_MS);
  }
}

process.on('message', async ({ enough }) => {
  if (enough === undefined) {
    measurement.goesOn = false;
    await measurement.done;
    process.send(measurement.times.sort((a, b) => a - b));
  } else {
    measurement = { goesOn: true, times: [] };
    measurement.done = measure(measurement, enough);
  }
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
