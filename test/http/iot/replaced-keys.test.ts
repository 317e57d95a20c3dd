import { ManualClock } from '../../../src/lib/clock.ts';
import { call } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const OLD = { id: 'old', secret: 'oldsecret' };
const NEW = { id: 'new', secret: 'newsecret' };
const START = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;

it('accepts an access key until the time from which it is disabled, by the clock of the gateway', async () => {
  const accounts = [{ id: 'acme', accessKeys: [{ ...OLD, disabledFrom: START + HOUR }, NEW] }];
  const clock = new ManualClock(START);
  await using gateway = await startTestGateway({ clock, parts: { accounts } });
  const codeWith = async (key: typeof OLD): Promise<unknown> => {
    const { body } = await call(gateway, 'GenerateOTAUploadURL', {}, key);
    return body.Code ?? 'ok';
  };
  clock.set(START + HOUR - 1);
  expect(await codeWith(OLD)).toBe('ok');
  clock.set(START + HOUR);
  expect(await codeWith(OLD)).toBe('InvalidAccessKeyId.Inactive');
  expect(await codeWith(NEW)).toBe('ok');
});
