'use strict';
// Posts one large form over a raw socket: node large-form.js URL MIB FIELDS-JSON. Prints milliseconds and status.
const { connect } = require('node:net');
const { formAround, randomBytes, requestHead } = require('../forms.js');

const [, , url, mib, fields] = process.argv;
const { head, tail } = formAround(JSON.parse(fields));
const chunk = randomBytes(1024 * 1024);
const length = head.length + Number(mib) * chunk.length + tail.length;
const { hostname, port } = new URL(url);

const started = process.hrtime.bigint();
const milliseconds = () => Number(process.hrtime.bigint() - started) / 1e6;
let sent = 0;
let answer = '';
const socket = connect(Number(port), hostname, async () => {
  socket.write(requestHead(url, length, 'close'));
  socket.write(head);
  for (let n = 0; n < Number(mib) && answer === ''; n += 1) {
    sent += chunk.length;
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  if (answer === '') socket.write(tail);
});
let answeredAfter;
socket.on('data', (data) => {
  answeredAfter ??= milliseconds();
  answer += data;
  socket.emit('drain');
});
socket.on('error', () => undefined);
socket.on('close', () => {
  const status = answer.slice(9, 12);
  console.log(JSON.stringify({ ms: milliseconds(), answeredAfter, status, sent }));
});
