import { Socket } from 'node:net';
import { ClientVanished } from '../../../../src/http/request-chunks.ts';
import { sendCallback } from '../../../../src/oss/post-object/callback-request.ts';
import { createCallbackRule } from '../../../../src/oss/post-object/callback-target.ts';

describe('sendCallback', () => {
  it('does not start for a client that has closed its connection', async () => {
    const resolve = jest.fn();
    const settings = {
      callbackHosts: ['app.test'],
      unsignedCallbacks: true,
      fidelity: 'lenient',
    } as const;
    const client = new Socket().destroy();
    const callback = {
      text: '',
      urls: [new URL('http://app.test')],
      host: undefined,
      contentType: 'application/json',
      template: '',
      variables: new Map(),
    } as const;
    const rule = createCallbackRule(settings, new Set(), resolve);
    await expect(
      sendCallback({ callback, body: Buffer.alloc(0), rule, client, onPrivateAddress: jest.fn() }),
    ).rejects.toBeInstanceOf(ClientVanished);
    expect(resolve).not.toHaveBeenCalled();
    expect(client.listenerCount('close')).toBe(0);
  });
});
