import { once } from 'node:events';
import { connect } from 'node:net';
import { startTestGateway } from '../../src/testing/index.ts';
import { writeForm, validForm } from '../http/oss/post/form.ts';

// A stalled upload waited for the idle time when its client had half-closed the connection.
it('ends a stalled upload when its client half-closes the connection, before the idle time', async () => {
  const gateway = await startTestGateway({ grace: '60s' });
  const { port } = await gateway.listen();
  gateway.faults.next('PostObject', { stallAfter: 0 });
  const { grant } = await gateway.seed({ state: 'issued' });
  const form = validForm();
  form.sign = 'none';
  form.fields
    .set('key', grant.key)
    .set('OSSAccessKeyId', grant.accessKeyId)
    .set('policy', grant.policy)
    .set('Signature', grant.signature);
  const { body, headers } = writeForm(form);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${headers['Content-Type'] ?? ''}\r\n` +
      `Content-Length: ${String(body.length)}\r\n\r\n`,
  );
  socket.write(body);
  await once(socket, 'connect');
  socket.end();
  socket.resume();
  await once(socket, 'close');
  await gateway.close();
});
