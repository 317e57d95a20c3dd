// Signed work at a steady rate in a separate process, so that it waits for the gateway and not for the attackers of its
// test: see steady-client.ts. It runs the built files, because Node does not run TypeScript.
const { Buffer } = require('node:buffer');
const { randomUUID } = require('node:crypto');
const { performance } = require('node:perf_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const {
  callApi,
  createOTAFirmware,
  generateOTAUploadURL,
  queryDownloadUrl,
} = require('../../../dist/client/api-client.js');
const { formFields, postObject } = require('../../../dist/client/post-object.js');
const { wallClock } = require('../../../dist/lib/clock.js');

const SMALL = Buffer.alloc(8 * 1024, 'small');
const LARGE = Buffer.alloc(3 * 1024 * 1024, 'large');
/** Jobs per second; each begins at its time, even if earlier jobs are still running. */
const RATE = 10;
const CLAIM_EVERY = 4;
const LARGE_EVERY = 20;
/** With more running jobs the gateway is too slow. */
const MOST_AT_ONCE = 400;

const [, , endpoint, accessKeyId, accessKeySecret] = process.argv;
const api = { endpoint, accessKeyId, accessKeySecret, clock: wallClock, nonce: randomUUID };

async function postFile(grant, bytes) {
  const file = { name: 'firmware.bin', size: bytes.length, bytes: [bytes] };
  const { status } = await postObject(grant.host, formFields(grant), file);
  if (status !== 200) throw new Error(`a form was answered with ${status}`);
}

async function download(FirmwareId, bytes) {
  const response = await globalThis.fetch(await queryDownloadUrl(api, { FirmwareId }));
  const received = Buffer.from(await response.arrayBuffer());
  if (!received.equals(bytes)) throw new Error(`a download was answered with ${response.status}`);
}

/** The life of one upload, from the signature to the deletion. */
async function work(n, timed) {
  const bytes = n % LARGE_EVERY === 0 ? LARGE : SMALL;
  const grant = await timed('sign', () => generateOTAUploadURL(api, { FileSuffix: 'bin' }));
  await timed(bytes === LARGE ? 'large form' : 'small form', () => postFile(grant, bytes));
  if (n % CLAIM_EVERY !== 0) return;
  const FirmwareId = await timed('claim', () =>
    createOTAFirmware(api, {
      FirmwareName: randomUUID(),
      DestVersion: '1.0.0',
      FirmwareUrl: grant.firmwareUrl,
    }),
  );
  await timed('download', () => download(FirmwareId, bytes));
  await timed('delete', () => callApi(api, 'DeleteOTAFirmware', { FirmwareId }));
}

function recordTimes(times) {
  return async (kind, act) => {
    const from = performance.now();
    const result = await act();
    (times[kind] ??= []).push(performance.now() - from);
    return result;
  };
}

let measurement = { goesOn: false };

async function measure(own) {
  const jobs = new Set();
  const timed = recordTimes(own.times);
  const from = performance.now();
  for (let n = 0; own.goesOn; n += 1) {
    await sleep(Math.max(0, from + (n * 1000) / RATE - performance.now()));
    if (jobs.size >= MOST_AT_ONCE) {
      own.failures.push(`${jobs.size} jobs are under way`);
      continue;
    }
    const job = work(n, timed).catch((error) => own.failures.push(describe(error)));
    jobs.add(job);
    job.finally(() => jobs.delete(job));
  }
  await Promise.all(jobs);
}

function describe(error) {
  return `${new Date().toISOString()} ${error.code ?? ''} ${error.message} ${error.cause ?? ''}`;
}

process.on('message', async (order) => {
  if (order === 'begin') {
    measurement = { goesOn: true, times: {}, failures: [] };
    measurement.done = measure(measurement);
    return;
  }
  measurement.goesOn = false;
  await measurement.done;
  const { failures, times } = measurement;
  for (const kind of Object.values(times)) kind.sort((a, b) => a - b);
  process.send({ times, failures: failures.slice(0, 10) });
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
