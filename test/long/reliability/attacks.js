// Hostile clients, for abuse.test.ts (each kind alone) and soak.test.ts (all of them beside signed work). They run in a
// separate process, attack-player.js. They know no key; some use a signed URL or form of `target`, which every uploader
// gets.
const { Buffer } = require('node:buffer');
const { once } = require('node:events');
const { connect } = require('node:net');
const { setTimeout: sleep } = require('node:timers/promises');

const KIB = 1024;
const MIB = 1024 * KIB;
const PIPELINED_BYTES = 60 * KIB;
/** A client that waits for an answer does not wait longer. */
const ANSWER_LIMIT_MS = 10_000;
const CUT_LIMIT_MS = 40_000;

/** @returns a connection whose errors are visible in the received bytes */
async function open({ port }) {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    if (socket.received.length < 2 * KIB) socket.received += chunk.toString('latin1');
  });
  socket.gone = new Promise((resolve) => socket.once('close', resolve));
  await Promise.race([once(socket, 'connect').catch(() => undefined), socket.gone]);
  return socket;
}

/** Sends bytes no faster than they are accepted. Resolves when they are sent, or the connection has ended. */
async function send(socket, bytes) {
  if (socket.destroyed || socket.writableEnded) return;
  const sent = new Promise((resolve) => socket.write(bytes, resolve));
  await Promise.race([sent, socket.gone]);
}

/** @returns status and code of the first response; `cut` when there is none */
function outcomeOf({ received }) {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
  if (status === undefined) return 'cut';
  const [, xml, json] = /<Code>([^<]*)|"Code":"([^"]*)/.exec(received) ?? [];
  return `${status} ${xml ?? json ?? ''}`.trim();
}

/** Waits for a response, or for the end of the connection. */
async function answered(socket) {
  const deadline = Date.now() + ANSWER_LIMIT_MS;
  while (!socket.destroyed && Date.now() < deadline && socket.received === '') {
    await Promise.race([sleep(50), socket.gone]);
  }
  await Promise.race([sleep(50), socket.gone]);
  const outcome = socket.received === '' && !socket.destroyed ? 'no answer' : outcomeOf(socket);
  socket.resetAndDestroy();
  return outcome;
}

/** Sends many requests in one write, reads nothing, and resets after a while. */
async function pipeline(target, request, holdMs) {
  const socket = await open(target);
  socket.pause();
  await send(socket, request.repeat(Math.ceil(PIPELINED_BYTES / request.length)));
  await Promise.race([sleep(holdMs), socket.gone]);
  socket.resetAndDestroy();
  return 'reset';
}

function formHead(length) {
  return (
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\n' +
    `Content-Length: ${length}\r\n\r\n`
  );
}

function partHead(name) {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`;
}

function form(fields) {
  const parts = Object.entries(fields).map(([name, value]) => `${partHead(name)}${value}\r\n`);
  const body = `${parts.join('')}${partHead('file')}x\r\n--b--\r\n`;
  return formHead(Buffer.byteLength(body)) + body;
}

/** A request whose body is sent in HTTP chunks of one byte. */
async function sendInOneByteChunks(target, type, body) {
  const socket = await open(target);
  const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  await send(socket, head);
  for (let at = 0; at < body.length; at += 16 * KIB) {
    const chunks = Array.from(body.slice(at, at + 16 * KIB), (char) => `1\r\n${char}\r\n`);
    await send(socket, chunks.join(''));
  }
  await send(socket, '0\r\n\r\n');
  return answered(socket);
}

const GET_ROOT = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
/** Refused before its body is there, which ends the connection. */
const BAD_FORM = `${formHead(2000)}--b\r\nbad\r\n\r\n${'x'.repeat(1988)}`;
const API_CALL = 'Action=GenerateOTAUploadURL&Version=2018-01-20&a=';
const VALUE = Buffer.alloc(MIB - 1, 'v');
/** The headers of a part may have 32 KiB. */
const SPACES = ' '.repeat(32_000);

/** The maximum bytes of fields before a file, in eight fields of nearly one MiB; the file is never sent. */
async function sendFields(target, { pauseMs, holdMs }) {
  const socket = await open(target);
  await send(socket, formHead(100 * MIB));
  for (let n = 0; n < 8; n += 1) {
    await send(socket, partHead(`x${n}`));
    await send(socket, VALUE);
    await send(socket, '\r\n');
    await sleep(pauseMs);
  }
  const deadline = Date.now() + holdMs;
  while (!socket.destroyed && socket.received === '' && Date.now() < deadline) {
    await Promise.race([sleep(100), socket.gone]);
  }
  const outcome = socket.received === '' && !socket.destroyed ? 'held' : outcomeOf(socket);
  socket.resetAndDestroy();
  return outcome;
}

/** A byte that is not UTF-8 becomes 15 bytes in the encoding of the signature. */
async function callWronglySigned({ port, accessKeyId }, holdMs) {
  const socket = await open({ port });
  socket.pause();
  const common =
    `Action=GenerateOTAUploadURL&Version=2018-01-20&AccessKeyId=${accessKeyId}&Signature=d3Jvbmc%3D` +
    `&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=${process.hrtime.bigint()}` +
    `&Timestamp=${encodeURIComponent(new Date().toISOString().replace(/\.\d+/, ''))}&a=`;
  const body = Buffer.concat([Buffer.from(common), Buffer.alloc(MIB - common.length, 0xff)]);
  await send(
    socket,
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
  await send(socket, body);
  await Promise.race([sleep(holdMs), socket.gone]);
  socket.resetAndDestroy();
  return 'reset';
}

/**
 * Parts with as many spaces behind their boundary as may be, at some 5 MiB a second; over a new connection when one is
 * refused.
 */
async function sendSpaces(target, bytes) {
  let left = bytes;
  let outcome = 'not refused';
  while (left > 0) {
    const socket = await open(target);
    await send(socket, formHead(100 * MIB));
    for (let n = 0; left > 0 && !socket.destroyed && socket.received === ''; n += 1) {
      await send(socket, `--b${SPACES}${partHead(`x${n}`).slice(3)}\r\n`);
      left -= SPACES.length;
      await Promise.race([sleep(6), socket.gone]);
    }
    if (socket.received !== '') outcome = outcomeOf(socket);
    socket.resetAndDestroy();
  }
  return outcome;
}

/** 60 KiB of headers, and no empty line behind them. @returns once the gateway has cut it */
async function leaveHeadersOpen(target, header) {
  const socket = await open(target);
  const headers = header.repeat(Math.floor(PIPELINED_BYTES / header.length));
  await send(socket, `GET / HTTP/1.1\r\nHost: h\r\n${headers}`);
  await Promise.race([sleep(CUT_LIMIT_MS), socket.gone]);
  const outcome = socket.destroyed ? outcomeOf(socket) : 'not cut';
  socket.destroy();
  return outcome;
}

/** One form; the answer is waited for. */
async function postForm(target, fields) {
  const socket = await open(target);
  await send(socket, form(fields));
  return answered(socket);
}

/**
 * All kinds of attacks. `attack` is the life of one client, and returns its outcome. `alone` is the number of clients
 * in abuse.test.ts, where each attacks once. `soak` is the number of clients in soak.test.ts, and how long each waits
 * before it attacks again. The soak is a cheap attack, not a load test, which would only use up both cores: together
 * the clients send about 15 MiB/s over a dozen new connections per second. That costs a gateway about half a core, most
 * of it for one-byte chunks (7 % each) and the 8 MiB of fields (10 to 15 %); the others cost 1 to 7 % each. Before the
 * gateway had its limits, each kind alone took all memory or a core at this rate.
 */
const ATTACKS = {
  'pipelines and resets': {
    attack: (target) => pipeline(target, GET_ROOT, 1500),
    alone: 200,
    soak: { clients: 4, pauseMs: 500 },
  },
  'pipelines and reads no answer': {
    attack: (target) => pipeline(target, GET_ROOT, 4000),
    alone: 200,
    soak: { clients: 4, pauseMs: 1000 },
  },
  'pipelines downloads and resets': {
    attack: (target) =>
      pipeline(target, `GET ${target.signedPath} HTTP/1.1\r\nHost: h\r\n\r\n`, 1500),
    alone: 80,
    soak: { clients: 4, pauseMs: 1000 },
  },
  'pipelines refused forms and resets': {
    // The moment of the reset matters.
    attack: (target, { n }) => pipeline(target, BAD_FORM, n % 10),
    alone: 1000,
    soak: { clients: 2, pauseMs: 500 },
  },
  'calls the API in one-byte chunks': {
    attack: (target, { share }) =>
      sendInOneByteChunks(
        target,
        'application/x-www-form-urlencoded',
        API_CALL.padEnd(share * MIB - 1, 'v'),
      ),
    alone: 4,
    soak: { clients: 1, pauseMs: 6000, share: 1 / 8 },
  },
  'sends fields in one-byte chunks': {
    attack: (target, { share }) =>
      sendInOneByteChunks(
        target,
        'multipart/form-data; boundary=b',
        `${partHead('x')}${'v'.repeat(share * 2 * MIB)}\r\n--b--\r\n`,
      ),
    alone: 4,
    soak: { clients: 1, pauseMs: 6000, share: 1 / 16 },
  },
  'holds 8 MiB of unsigned fields': {
    attack: (target, { fill }) => sendFields(target, fill ?? { pauseMs: 0, holdMs: 8000 }),
    alone: 1000,
    // Slowly, but together more than all strangers may hold.
    soak: { clients: 48, pauseMs: 5000, fill: { pauseMs: 2500, holdMs: 20_000 } },
  },
  'calls wrongly signed and reads no answer': {
    attack: (target) => callWronglySigned(target, 4000),
    alone: 60,
    soak: { clients: 4, pauseMs: 6000 },
  },
  'sends spaces behind a boundary': {
    attack: (target, { share }) => sendSpaces(target, share * 16 * MIB),
    alone: 2,
    soak: { clients: 1, pauseMs: 1000, share: 1 / 8 },
  },
  'never ends one long header': {
    attack: (target) => leaveHeadersOpen(target, `a: ${'b'.repeat(15 * KIB)}\r\n`),
    alone: 500,
    soak: { clients: 50, pauseMs: 1000 },
  },
  'never ends its many headers': {
    attack: (target) => leaveHeadersOpen(target, 'a: b\r\n'),
    alone: 500,
    soak: { clients: 50, pauseMs: 1000 },
  },
  'multiplies a field in a callback': {
    attack: (target) => postForm(target, { ...target.callbackForm, 'x:a': 'v'.repeat(MIB) }),
    alone: 1,
    soak: { clients: 1, pauseMs: 5000 },
  },
  'stores large headers': {
    attack: (target) => postForm(target, { ...target.form, 'Cache-Control': 'v'.repeat(MIB) }),
    alone: 10,
    soak: { clients: 1, pauseMs: 5000 },
  },
};

module.exports = { ATTACKS };
