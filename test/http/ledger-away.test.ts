import request from 'supertest';
import { createMemoryRecords } from '../../src/gateway.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { LedgerUnavailable } from '../../src/uploads/unavailable.ts';
import type { UploadLedger } from '../../src/uploads/ports.ts';
import { startTestGateway } from '../support/gateways.ts';

describe('a gateway whose ledger does not answer', () => {
  const away = new LedgerUnavailable('PostgreSQL does not answer at 10.0.0.1');
  const warnings: object[] = [];
  let isAway = false;
  let gateway: TestGateway;

  beforeAll(async () => {
    const { ledger, nonces } = createMemoryRecords();
    const failing = new Proxy(ledger, {
      get: (target, name: keyof UploadLedger) =>
        isAway && name.startsWith('find') ? () => Promise.reject(away) : target[name]?.bind(target),
    });
    const warn = (details: object): void => {
      warnings.push(details);
    };
    const logger = { ...silentLogger, warn };
    gateway = await startTestGateway({ parts: { records: { ledger: failing, nonces }, logger } });
  });

  beforeEach(() => {
    isAway = true;
    warnings.length = 0;
  });

  afterAll(() => gateway.close());

  it('answers an upload with 503 ServiceUnavailable, and logs the cause', async () => {
    isAway = false;
    const grant = await gateway.api.generateOTAUploadURL();
    isAway = true;
    const { body, code, status } = await gateway.postObject(grant, 'firmware');
    expect({ code, status }).toEqual({ code: 'ServiceUnavailable', status: 503 });
    expect(body).toContain('The ledger of the uploads cannot be used at this moment.');
    expect(body).not.toContain('10.0.0.1');
    expect(warnings).toMatchObject([{ err: away }]);
    isAway = false;
    expect((await gateway.postObject(grant, 'firmware')).status).toBe(200);
  });

  it('answers a query of its operator with 503 and the cause', async () => {
    const { body, status } = await request(gateway.app)
      .get('/_gateway/api/uploads')
      .auth(gateway.accessKey.id, gateway.accessKey.secret);
    expect({ status, body }).toMatchObject({
      status: 503,
      body: { error: { code: 'LedgerUnavailable', message: away.message } },
    });
  });
});
