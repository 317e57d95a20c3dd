import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import type { ErrorRequestHandler, Express } from 'express';
import multer from 'multer';
import type { StorageEngine } from 'multer';
import request from 'supertest';
import { gatewayStorage, isGatewayFile } from '../../../src/multer/index.ts';
import type { GatewayStorageOptions } from '../../../src/multer/index.ts';
import { DiskObjectStore } from '../../../src/object-store/disk/disk-object-store.ts';
import { ThreadHasher } from '../../../src/object-store/hashing/thread-hasher.ts';
import type { ObjectStore } from '../../../src/uploads/ports.ts';
import { bodiesIn, startTestGateway } from '../../support/gateways.ts';
import type { EngineGateway } from '../../support/gateways.ts';
import { eventually, temporaryFolder } from '../../support/built-gateway.ts';

let gateway: EngineGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway.close());

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP server');
  return address.port;
}

const tellError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) next(error);
  const { code, message } = Object(error);
  response.status(422).json({ code, message });
};

function appOf(options: multer.Options = {}, choices: GatewayStorageOptions = {}): Express {
  const storage: StorageEngine = gatewayStorage(gateway, choices);
  const app = express();
  app.post('/one', multer({ ...options, storage }).single('firmware'), (req, res) => {
    if (!isGatewayFile(req.file)) throw new Error('the file did not come from the gateway');
    const { key, object, firmwareUrl, originalname, size } = req.file;
    res.json({ key, md5: object.md5, firmwareUrl, originalname, size });
  });
  app.post('/many', multer({ ...options, storage }).array('firmware'), (req, res) => {
    res.json(req.files);
  });
  return app.use(tellError);
}

/** The number of bodies, complete or not, that the store has. */
async function countBodies(): Promise<number> {
  const { locators, uncommitted } = await bodiesIn(gateway.inventory);
  return locators.length + uncommitted;
}

/** Expects no body in the store and no live upload. */
async function expectNothing(): Promise<void> {
  expect(await countBodies()).toBe(0);
  const { uploads } = await gateway.snapshot();
  expect(uploads.filter(({ state }) => state === 'stored' || state === 'claimed')).toEqual([]);
}

describe('a file that multer receives', () => {
  it('is stored like any other upload', async () => {
    const response = await request(appOf())
      .post('/one')
      .attach('firmware', Buffer.from('firmware'), 'Lamp.BIN')
      .expect(200);
    expect(response.body).toMatchObject({
      key: expect.stringMatching(/^uploads\/c[0-9a-z]{24}\.bin$/),
      md5: '74b5b5e9570efc5c0553bb327cd41940',
      originalname: 'Lamp.BIN',
      size: 8,
    });
    expect(await gateway.uploads.find(response.body.key)).toMatchObject({
      state: 'stored',
      object: { headers: { 'content-type': 'application/octet-stream' } },
    });
  });

  it('is purged when it is not claimed', async () => {
    await request(appOf()).post('/one').attach('firmware', Buffer.from('x'), 'a.bin').expect(200);
    gateway.clock.advance({ minutes: 61 });
    expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 1 });
    await expectNothing();
  });

  it('can be claimed in the same process', async () => {
    const { body } = await request(appOf())
      .post('/one')
      .attach('firmware', Buffer.from('x'), 'a.bin');
    const order = { name: 'lamp', destVersion: '1.0.0', files: [{ key: body.key }] };
    const outcome = await gateway.uploads.claim(order);
    expect(outcome).toMatchObject({ kind: 'claimed', package: { name: 'lamp' } });
    expect(await gateway.uploads.claim(order)).toEqual({ kind: 'nameTaken' });
    expect(await gateway.uploads.packages()).toMatchObject([{ name: 'lamp' }]);
  });

  it('can be claimed through the API', async () => {
    const { body } = await request(appOf())
      .post('/one')
      .attach('firmware', Buffer.from('x'), 'a.bin');
    const { firmwareUrl } = body;
    await gateway.api.createOTAFirmware({ firmwareName: 'a', destVersion: '1', firmwareUrl });
    expect(await gateway.uploads.find(body.key)).toMatchObject({ state: 'claimed' });
  });

  it('belongs to the account that the option returns', async () => {
    const accounts = ['ann', 'bob'].map((id) => ({
      id,
      accessKeys: [{ id: `${id}-key`, secret: 'secret' }],
    }));
    await gateway.close();
    gateway = await startTestGateway({ parts: { accounts } });
    const app = appOf({}, { accountId: () => 'bob' });
    const { body } = await request(app).post('/one').attach('firmware', Buffer.from('x'), 'a.bin');
    const order = { name: 'a', destVersion: '1', files: [{ key: body.key }] };
    expect(await gateway.uploads.claim({ ...order, accountId: 'ann' })).toMatchObject({
      kind: 'notClaimable',
    });
    await expect(gateway.uploads.claim(order)).rejects.toThrow('there are several');
    expect(await gateway.uploads.claim({ ...order, accountId: 'bob' })).toMatchObject({
      kind: 'claimed',
    });
  });

  it('gets the key that the option returns', async () => {
    const app = appOf({}, { key: (_req, file) => `builds/${file.originalname}` });
    const post = () => request(app).post('/one').attach('firmware', Buffer.from('x'), 'a b.bin');
    const { body } = await post().expect(200);
    expect(body).toMatchObject({ key: 'builds/a b.bin' });
    expect(body.firmwareUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/builds\/a%20b\.bin$/);
    await post().expect(200);
    const claimed = { name: 'a', destVersion: '1', files: [{ key: 'builds/a b.bin' }] };
    await gateway.uploads.claim(claimed);
    await post().expect(422, /immutable/);
  });
});

describe('a failed upload', () => {
  const file = Buffer.alloc(300_000, 'x');

  it('leaves nothing of a file that must not replace another one', async () => {
    const app = appOf({}, { key: () => 'same', forbidOverwrite: true });
    await request(app).post('/one').attach('firmware', file, 'a').expect(200);
    await request(app)
      .post('/one')
      .attach('firmware', file, 'a')
      .expect(422, /"exists"/);
    expect(await countBodies()).toBe(1);
  });

  it('leaves nothing of a file with an invalid key', async () => {
    const app = appOf({}, { key: () => '/etc/passwd' });
    await request(app)
      .post('/one')
      .attach('firmware', file, 'a')
      .expect(422, /"invalidKey"/);
    await expectNothing();
  });

  it('leaves nothing of a file whose type is too long to be stored', async () => {
    const contentType = `application/${'x'.repeat(8200)}`;
    await request(appOf())
      .post('/one')
      .attach('firmware', Buffer.from('x'), { filename: 'a', contentType })
      .expect(422, /"headersTooLarge"/);
    await expectNothing();
  });

  it('leaves nothing of a file that is larger than multer allows', async () => {
    const app = appOf({ limits: { fileSize: 200_000 } });
    await request(app)
      .post('/one')
      .attach('firmware', file, 'a')
      .expect(422, /"LIMIT_FILE_SIZE"/);
    await expectNothing();
  });

  it('leaves nothing of a file that is larger than the gateway allows', async () => {
    await gateway.close();
    gateway = await startTestGateway({ maxUpload: 200_000 });
    await request(appOf())
      .post('/one')
      .attach('firmware', file, 'a')
      .expect(422, /"tooLarge"/);
    await expectNothing();
  });

  it('leaves nothing of valid files before a part that fails', async () => {
    const app = appOf({ limits: { fileSize: 400_000 } });
    await request(app)
      .post('/many')
      .attach('firmware', file, 'a')
      .attach('firmware', file, 'b')
      .attach('firmware', Buffer.alloc(500_000), 'c')
      .expect(422, /"LIMIT_FILE_SIZE"/);
    await expectNothing();
  });

  it('leaves nothing of valid files before an unexpected one', async () => {
    await request(appOf())
      .post('/many')
      .attach('firmware', file, 'a')
      .attach('other', file, 'b')
      .expect(422, /"LIMIT_UNEXPECTED_FILE"/);
    await expectNothing();
  });

  it('leaves nothing of a valid file before a field that is too long', async () => {
    await request(appOf({ limits: { fieldSize: 10 } }))
      .post('/one')
      .attach('firmware', file, 'a')
      .field('comment', 'much too long for that')
      .expect(422, /"LIMIT_FIELD_VALUE"/);
    await expectNothing();
  });

  it('leaves nothing when the disk is full', async () => {
    const folder = await temporaryFolder();
    const store = await fillingUp(folder.path);
    await gateway.close();
    gateway = await startTestGateway({ parts: { store } });
    await request(appOf())
      .post('/one')
      .attach('firmware', file, 'a')
      .expect(422, /"full"/);
    expect(await readdir(join(folder.path, 'staging'))).toEqual([]);
    expect(await gateway.uploads.list()).toEqual([]);
    await folder.remove();
  });

  it.each([1000, 5_000_000])(
    'leaves nothing when the client disconnects after %d bytes',
    async (sent) => {
      const begun = jest.fn(() => 'begun');
      const server = createServer(appOf({}, { key: begun })).listen(0);
      await once(server, 'listening');
      const socket = connect(portOf(server), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(
        'POST /one HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 8000000\r\n\r\n' +
          '--b\r\nContent-Disposition: form-data; name="firmware"; filename="a"\r\n\r\n',
      );
      socket.write(Buffer.alloc(sent));
      await eventually(async () => begun.mock.calls.length > 0);
      if (sent > 1000) await eventually(async () => (await countBodies()) > 0);
      socket.destroy();
      await once(server.close(), 'close');
      await eventually(async () => (await countBodies()) === 0);
      await expectNothing();
    },
  );

  it('leaves nothing when the client disconnects between two files', async () => {
    const server = createServer(appOf()).listen(0);
    await once(server, 'listening');
    const part = '--b\r\nContent-Disposition: form-data; name="firmware"; filename="a"\r\n\r\n';
    const socket = connect(portOf(server), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /many HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n${part}whole\r\n${part}begun`,
    );
    await eventually(async () =>
      (await gateway.snapshot()).uploads.some(({ state }) => state === 'stored'),
    );
    socket.destroy();
    await once(server.close(), 'close');
    await eventually(async () => (await countBodies()) === 0);
    await expectNothing();
  });
});

/** A store on a disk that becomes full after the first bytes of a body. */
async function fillingUp(dataDir: string): Promise<ObjectStore> {
  const store = await DiskObjectStore.open(dataDir, new ThreadHasher());
  const put = store.put.bind(store);
  store.put = (locator, bytes) =>
    put(
      locator,
      (async function* () {
        for await (const chunk of bytes) {
          yield chunk;
          throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        }
      })(),
    );
  return store;
}
