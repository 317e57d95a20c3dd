import { startTestGateway } from '../../../src/testing/index.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { outcomeOf } from '../../support/sdk-families.ts';

/** Makes every call fail. The built program has no such switch, so this test uses the test kit. */
const BROKEN_QUOTA = { take: () => Promise.reject(new Error('the secret cause')) };

it.each(SDK_CLIENTS)('reports an internal error to $name', async (sdk) => {
  await using gateway = await startTestGateway({ qps: 'on', parts: { quota: BROKEN_QUOTA } });
  const { url } = await gateway.listen();
  const call = sdk.call({ url, key: gateway.accessKey }, 'GenerateOTAUploadURL');
  expect(await outcomeOf(call)).toMatchObject(
    sdk.family.refusedByGateway({
      code: 'InternalError',
      message: 'The request processing has failed due to some unknown error, exception or failure.',
      status: 500,
    }),
  );
});
