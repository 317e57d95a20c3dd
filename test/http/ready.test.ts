import request from 'supertest';
import type { Gateway } from '../../src/gateway.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { folderForEachTest } from '../support/suite.ts';
import { getV1 } from './iot/api.ts';
import { itOnOneMachine } from '../support/engine.ts';
import { createGateway } from '../support/gateways.ts';

const KEY = { id: 'testid', secret: 'testsecret' };
const ACTION = 'GenerateOTAUploadURL';
/** More than any disk has. */
const TOO_MUCH = 2 ** 52;

const folder = folderForEachTest();
let gateway: Gateway;

afterEach(() => gateway.close());

async function start(minFree: number, logger: Logger = silentLogger): Promise<void> {
  const key = { accessKeyId: KEY.id, accessKeySecret: KEY.secret };
  gateway = await createGateway({ dataDir: folder.path, minFree, ...key }, { logger });
}

const sign = () => getV1(gateway.app, ACTION, {}, { key: KEY, time: Date.now() });
const ready = () => request(gateway.app).get('/_gateway/health/ready');

describe('a gateway whose disk has too little space for a signed call', () => {
  itOnOneMachine('is not ready, and says why and what to do', async () => {
    await start(TOO_MUCH);
    const { body, status } = await ready();
    expect(status).toBe(503);
    expect(body).toEqual({
      status: 'not ready',
      reason: 'diskFull',
      message: expect.stringMatching(
        /disk of the data folder is full.*OTA_GATEWAY_MIN_FREE/,
      ) as unknown,
    });
  });

  itOnOneMachine('responds to signed calls with ServiceUnavailable', async () => {
    await start(TOO_MUCH);
    const { body, status } = await sign();
    expect([status, body.Code]).toEqual([503, 'ServiceUnavailable']);
  });

  itOnOneMachine('logs that the disk is full as the reason of a refused call', async () => {
    const info = jest.fn();
    await start(TOO_MUCH, { ...silentLogger, info });
    await sign();
    expect(info).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'ServiceUnavailable', reason: 'disk_full' }),
      'GenerateOTAUploadURL: ServiceUnavailable (disk_full)',
    );
  });

  it('is still live', async () => {
    await start(TOO_MUCH);
    expect((await request(gateway.app).get('/_gateway/health/live')).status).toBe(200);
  });
});

it('is ready, and signs, when the disk has space', async () => {
  await start(0);
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect((await sign()).status).toBe(200);
});
