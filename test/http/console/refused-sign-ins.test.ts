import request from 'supertest';
import type { RefusalShape, StoryShape } from '../../../src/operator/shapes.ts';
import {
  ANN,
  FROM_PAGE,
  OFF,
  OPS,
  challengeOf,
  post,
  proofOf,
  signIn,
  startConsole,
} from './console-api.ts';
import type { ConsoleGateway } from './console-api.ts';

let gateway: ConsoleGateway;

beforeEach(async () => {
  gateway = await startConsole();
});
afterEach(() => gateway.close());

interface Answer {
  readonly items: readonly RefusalShape[];
  readonly story: StoryShape;
}

/** What an account, or an operator, sees of the refusals, newest first. */
async function refusalsFor({ id, secret }: typeof ANN, path = ''): Promise<Answer> {
  const get = request(gateway.app).get(`/_gateway/api/refusals${path}`).auth(id, secret);
  return (await get.expect(200)).body;
}

const WRONG = { ...ANN, secret: 'x' };

describe('a refused sign-in', () => {
  it('is kept with its reason, which the client does not learn', async () => {
    await signIn(gateway, WRONG);
    await signIn(gateway, OFF);
    await signIn(gateway, { id: 'nobody', secret: 'x' });
    const challenge = await challengeOf(gateway);
    gateway.wall.advance({ minutes: 2 });
    await post(gateway, { id: ANN.id, challenge, proof: proofOf(ANN, challenge) });
    await signIn(gateway, ANN, {}, { origin: 'http://other.test' });
    const { items } = await refusalsFor(OPS);
    expect(items.map((each) => [each.operation, each.code, each.reason, each.accessKeyId])).toEqual(
      [
        ['POST session', 'ForeignPage', 'cors', undefined],
        ['POST session', 'ChallengeExpired', 'clock_skew', ANN.id],
        ['POST session', 'SignInRefused', 'unknown_access_key', 'nobody'],
        ['POST session', 'SignInRefused', 'disabled_access_key', OFF.id],
        ['POST session', 'SignInRefused', 'signature_mismatch', ANN.id],
      ],
    );
  });

  it('has a story that says what to do, and no proof', async () => {
    const challenge = await challengeOf(gateway);
    const proof = proofOf(WRONG, challenge);
    const { headers } = await post(gateway, { id: ANN.id, challenge, proof });
    const explained = await refusalsFor(OPS, `/${String(headers['x-request-id'])}`);
    expect(explained.story.headline).toContain('POST session was refused with 401 SignInRefused');
    expect(explained.story.toPass).toContain('with its own secret');
    expect(JSON.stringify(explained)).not.toContain(proof);
    expect(JSON.stringify(explained)).not.toContain(challenge);
  });

  it('is seen by the account of the access key, and by no other', async () => {
    await signIn(gateway, { ...OPS, secret: 'x' });
    await signIn(gateway, { id: 'nobody', secret: 'x' });
    await signIn(gateway, WRONG);
    const { items } = await refusalsFor(ANN);
    expect(items).toMatchObject([{ accessKeyId: ANN.id, account: 'ann' }]);
    expect((await refusalsFor(OPS)).items).toHaveLength(3);
  });

  it('is one with those like it, also while it has to wait', async () => {
    for (let n = 0; n < 5; n += 1) await signIn(gateway, WRONG);
    for (let n = 0; n < 10; n += 1) {
      await signIn(gateway, ANN);
      gateway.monotonic.advance({ seconds: 1 });
    }
    const { items } = await refusalsFor(OPS);
    expect(items.map((each) => [each.code, each.repeats])).toEqual([
      ['TooManyTries', 9],
      ['SignInRefused', 4],
    ]);
  });

  it('of strangers pushes out none of an account', async () => {
    await signIn(gateway, WRONG);
    const challenge = await challengeOf(gateway);
    const strangers = Array.from({ length: 40 }, (_, n) =>
      post(gateway, { id: `k${String(n)}`, challenge, proof: '0'.repeat(64) }, FROM_PAGE),
    );
    await Promise.all(strangers);
    await signIn(gateway, { ...OPS, secret: 'x' });
    const { items } = await refusalsFor(OPS);
    const known = items.filter((each) => each.account !== undefined);
    expect(known).toHaveLength(2);
    expect(items).toHaveLength(2 + 20);
  });

  it('is not kept when it succeeds', async () => {
    await signIn(gateway, ANN);
    expect((await refusalsFor(OPS)).items).toEqual([]);
  });
});
