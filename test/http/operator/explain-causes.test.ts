import type { ExplainedShape } from '../../../src/operator/shapes.ts';
import { NonceUses } from '../../../src/iot/nonce-uses.ts';
import { MAX_MISMATCHES } from '../../../src/refusals/refusal-record.ts';
import { OPS, SMALL, startBench } from './stories/bench.ts';
import type { Bench } from './stories/bench.ts';

const GENERATE = 'GenerateOTAUploadURL';
const NAMED = { FirmwareName: 'pump' };

const origin = (number: number): string => `https://${'x'.repeat(200)}${String(number)}.example`;
const RULES = [
  { allowedOrigins: ['https://b.example'], allowedMethods: ['POST' as const] },
  { allowedOrigins: ['https://a.example'], allowedMethods: ['GET' as const] },
  {
    allowedOrigins: ['https://*.example'],
    allowedMethods: ['POST' as const],
    allowedHeaders: ['x-one'],
  },
  ...Array.from({ length: 7 }, (_, number) => ({
    allowedOrigins: [origin(number)],
    allowedMethods: ['POST' as const],
  })),
];

let bench: Bench;

beforeAll(async () => {
  bench = await startBench({ corsRules: RULES });
});
afterAll(() => bench.oss.close());

async function lastTexts(): Promise<string[]> {
  const found: ExplainedShape | undefined = await bench.lastStory();
  if (found === undefined) throw new Error('nothing was refused');
  return found.story.lines.map(({ mark, text }) => `${mark}|${text}`);
}

/** @returns the ids of the calls of the log, oldest first */
function requestIds(): string[] {
  return bench.log.flatMap((line) => {
    const { operation, requestId } = JSON.parse(line);
    return operation === GENERATE ? [requestId] : [];
  });
}

describe('the story of a reused nonce', () => {
  it('names the call that has used it first, also after several tries', async () => {
    const before = requestIds().length;
    const send = (): Promise<unknown> =>
      bench.call(GENERATE, {}, { common: { SignatureNonce: 'twice' } });
    for (let count = 1; count <= 3; count += 1) await send();
    const first = requestIds()[before] ?? 'none';
    expect(await lastTexts()).toContainEqual(
      expect.stringMatching(`^info\\|the call ${first} has used the nonce first, at 2026-01-02T`),
    );
  });

  it('does not name a call that was refused before its nonce was used up', async () => {
    const common = { SignatureNonce: 'forged' };
    await bench.call(GENERATE, {}, { common, key: { ...OPS, secret: 'wrong' } });
    const forged = requestIds().at(-1) ?? 'none';
    await bench.call(GENERATE, {}, { common });
    await bench.call(GENERATE, {}, { common });
    const texts = (await lastTexts()).join('\n');
    expect(texts).toContain('has used the nonce first');
    expect(texts).not.toContain(forged);
  });

  it('names no call when the nonce was used too long ago', async () => {
    const uses = new NonceUses();
    const use = { accountId: 'ops', requestId: 'R', at: 0 };
    const last = 2 * NonceUses.CAPACITY;
    for (let number = 0; number <= last; number += 1) uses.note('id', String(number), use);
    const kept = [0, last - NonceUses.CAPACITY, last];
    expect(kept.map((number) => uses.find('ops', 'id', String(number)))).toEqual([
      undefined,
      use,
      use,
    ]);
  });

  it('names no call of another account', () => {
    const uses = new NonceUses();
    uses.note('id', 'one', { accountId: 'ops', requestId: 'R', at: 0 });
    expect(uses.find('shop', 'id', 'one')).toBeUndefined();
  });
});

describe('the story of a name that is taken', () => {
  it.each(['CreateOTAFirmware', 'ModifyOTAFirmware'])(
    'names the package of the same account that has it (%s)',
    async (action) => {
      const name = { FirmwareName: `name-of-${action}` };
      await bench.claim(await bench.upload(), { ...name, DestVersion: '3.1' });
      await bench.claim(await bench.upload(), { FirmwareName: `other-of-${action}` });
      const all = await bench.oss.gateway.uploads.packages();
      const [holder, other] = all.slice(-2).map(({ id }) => id);
      if (action === 'CreateOTAFirmware') await bench.claim(await bench.upload(), name);
      else await bench.call(action, { FirmwareId: other ?? '', ProductKey: 'pk1', ...name });
      expect(await lastTexts()).toContain(
        `info|the package ${holder ?? ''} has the name, with version 3.1`,
      );
    },
  );

  it('is not there when another account has the name', async () => {
    const small = await bench.claim(await bench.upload('tiny', SMALL), NAMED, SMALL);
    const ops = await bench.claim(await bench.upload(), NAMED);
    for (const made of [small, ops]) expect(made).toMatchObject({ body: { Success: true } });
  });
});

describe('the story of a refused preflight', () => {
  const ask = async (headers: Readonly<Record<string, string>>): Promise<string[]> => {
    await bench.send({ method: 'OPTIONS', path: '/', headers });
    return (await lastTexts()).filter((text) => text.startsWith('notMet|rule '));
  };

  it('says for each rule which value it does not allow', async () => {
    const rows = await ask({
      Origin: 'https://a.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'X-One, X-Two',
    });
    expect(rows.slice(0, 5)).toEqual([
      'notMet|rule 1: the origin "https://a.example" is not allowed; allowed: https://b.example',
      'notMet|rule 1: the header "x-one" is not allowed; allowed: no header',
      'notMet|rule 2: the method "POST" is not allowed; allowed: GET',
      'notMet|rule 2: the header "x-one" is not allowed; allowed: no header',
      'notMet|rule 3: the header "x-two" is not allowed; allowed: x-one',
    ]);
  });

  it('is bounded, however many rules and headers there are', async () => {
    const rows = await ask({
      Origin: `https://${'o'.repeat(4000)}`,
      'Access-Control-Request-Method': 'M'.repeat(1000),
      'Access-Control-Request-Headers': Array.from({ length: 500 }, (_, n) => `h${n}`).join(),
    });
    expect(rows).toHaveLength(MAX_MISMATCHES);
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThan(400);
  });
});
