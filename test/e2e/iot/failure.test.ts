import { startTestGateway } from '../../../src/testing/index.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { outcomeOf } from '../../support/sdk-families.ts';

/** A part of the gateway that breaks; the built program has no such switch. */
const BROKEN_QUOTA = { take: () => Promise.reject(new Error('the secret cause')) };

test.each(SDK_CLIENTS)('a failure inside, as $name hands it on', async (sdk) => {
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
