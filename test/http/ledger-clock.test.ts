import request from 'supertest';
import { createMemoryRecords } from '../../src/gateway.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { startTestGateway } from '../support/gateways.ts';

const DAY_MS = 24 * 3_600_000;

describe('a gateway whose clock is ahead of that of the ledger', () => {
  const errors: string[] = [];
  let ahead = 0;
  let gateway: TestGateway;

  beforeEach(async () => {
    errors.length = 0;
    ahead = 0;
    const error: Logger['error'] = (_details, message) => {
      errors.push(message);
    };
    const shared = {
      agree: (_name: string, value: string) => Promise.resolve(value),
      find: () => Promise.resolve(undefined),
      beginJob: () => Promise.resolve(false),
      now: () => Promise.resolve(Date.now() - ahead),
    };
    gateway = await startTestGateway({
      parts: { records: { ...createMemoryRecords(), shared }, logger: { ...silentLogger, error } },
    });
  });

  afterEach(() => gateway.close());

  const purge = (): request.Test =>
    request(gateway.app)
      .post('/_gateway/api/purge')
      .auth(gateway.accessKey.id, gateway.accessKey.secret)
      .send({ dryRun: false });

  it('deletes nothing until the clocks agree, although its clock was right when it started', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    expect((await gateway.postObject(grant, 'firmware')).status).toBe(200);
    gateway.clock.advance({ milliseconds: 2 * DAY_MS });

    ahead = 90_000;
    const { body, status } = await purge();
    expect({ body, status }).toMatchObject({
      status: 503,
      body: { error: { code: 'ClockDiffers', message: expect.stringContaining('ahead') } },
    });
    expect(errors).toContain(
      'the purge failed, purged 0 files: nothing is deleted until the clocks agree, let a time service set both',
    );

    ahead = 9000;
    expect((await purge().expect(200)).body).toMatchObject({ purged: 1 });
  });
});
