import { BUSINESS_ERRORS, GATEWAY_ERRORS } from '../../../../src/iot/errors.ts';
import { OSS_ERRORS } from '../../../../src/oss/error-table.ts';
import type { ExplainedShape } from '../../../../src/operator/shapes.ts';
import { REFUSAL_REASONS } from '../../../../src/refusals/refusal-reason.ts';
import type { RefusalReason } from '../../../../src/refusals/refusal-reason.ts';
import { startBench, OPS, SECRETS, signedPath } from './bench.ts';
import type { Bench } from './bench.ts';
import { BUSINESS_ROWS, GATEWAY_ROWS, MORE_ROWS } from './iot-rows.ts';
import { OSS_ROWS } from './oss-rows.ts';
import type { Row, Unreachable } from './row.ts';

const TABLES: Readonly<Record<string, Readonly<Record<string, Row | Unreachable>>>> = {
  OSS: OSS_ROWS,
  'the API': GATEWAY_ROWS,
  'an operation': BUSINESS_ROWS,
  'an operation for another cause': MORE_ROWS,
};

const ROWS = Object.entries(TABLES).flatMap(([table, rows]) =>
  Object.entries(rows).flatMap(([name, row]) =>
    'send' in row ? [{ table, name, row, title: `${name} of ${table}` }] : [],
  ),
);

/** Reasons that the two tables cannot cause, and why. */
const OTHER_REASONS: Partial<Record<RefusalReason, string>> = {
  not_http: 'bytes that are no request are counted, and not kept',
  forbidden: 'the refusals of the operator API are not kept',
  overloaded: 'needs many requests at the same time',
  ordered_fault: 'a test orders it: below',
};

type BenchName = NonNullable<Row['by']> | 'ordinary';

const benches: Partial<Record<BenchName, Bench>> = {};
/** What the stories and records have said. */
const told: ExplainedShape[] = [];

beforeAll(async () => {
  benches.ordinary = await startBench();
  benches.strict = await startBench({ fidelity: 'strict' });
  benches.tight = await startBench({ qps: 1, maxPackages: 1 });
  benches.full = await startBench({ minFree: '1000000GB', maxUpload: '1MiB' });
}, 30_000);
afterAll(() => Promise.all(Object.values(benches).map(({ oss }) => oss.close())));

function benchOf({ by = 'ordinary' }: { readonly by?: BenchName }): Bench {
  const bench = benches[by];
  if (bench === undefined) throw new Error(`${by} is not started`);
  return bench;
}

/** The code and the message of a row, as an expression for each. */
function patternsOf(table: string, name: string): { code: RegExp; message: RegExp } {
  if (table !== 'OSS') {
    const messages: Readonly<Record<string, string | { readonly message: string }>> = {
      ...GATEWAY_ERRORS,
      ...BUSINESS_ERRORS,
    };
    const [code = ''] = name.split(' ');
    const row = messages[code] ?? '';
    // What was signed has a place of its own.
    if (code === 'SignatureDoesNotMatch')
      return { code: like(code), message: /our calculation\.$/ };
    return { code: like(code), message: like(typeof row === 'string' ? row : row.message) };
  }
  const [code = '', cause = ''] = name.split('.');
  const rows: Readonly<Record<string, OssRow>> = OSS_ERRORS;
  const row = rows[code];
  const message = row?.causes?.[cause]?.message ?? row?.message ?? '';
  // The policy has its own table of texts.
  return { code: like(code), message: like(code === 'InvalidPolicyDocument' ? '{any}' : message) };
}

interface OssRow {
  readonly message: string;
  readonly causes?: Readonly<Record<string, { readonly ec?: string; readonly message?: string }>>;
}

function like(template: string): RegExp {
  const parts = template
    .split(/[\s:]*\{\w+\}\s*/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}`);
}

function textOf({ story }: ExplainedShape): string {
  const lines = story.lines.flatMap(({ details = [], mark, text }) => [
    `${mark}|${text}`,
    ...details,
  ]);
  return [story.headline, ...lines].join('\n');
}

describe('the story of a request that was refused', () => {
  it.each(ROWS)(
    'with $title says what was sent, what was expected and what to do',
    async (each) => {
      const { name, row, table } = each;
      const bench = benchOf(row);
      await row.send(bench);
      const found = await bench.lastStory();
      if (found === undefined) throw new Error('nothing was refused');
      told.push(found);
      const { code, message } = patternsOf(table, name);
      expect(found.refusal.code).toMatch(code);
      expect(found.refusal.message).toMatch(message);
      const text = textOf(found);
      for (const said of row.says) expect(text).toContain(said);
      expect(found.story.toPass).toContain(row.toPass);
    },
  );

  it('has a request for every reason', () => {
    const caused = new Set<string>(told.map(({ refusal }) => refusal.reason));
    const missing = REFUSAL_REASONS.filter((reason) => !caused.has(reason));
    expect(missing.sort()).toEqual(Object.keys(OTHER_REASONS).sort());
  });

  it('has each of its values', () => {
    for (const each of told) expect(textOf(each)).not.toMatch(/\{\w+\}/);
  });

  it('says that a test ordered it', async () => {
    const { oss, ...bench } = benchOf({});
    oss.gateway.faults.next('GenerateOTAUploadURL', { code: 'InternalError' });
    await bench.call('GenerateOTAUploadURL');
    expect((await bench.lastStory())?.story.toPass).toBe('nothing: a test has injected it');
  });

  it('has no control character of a client, and no long text', async () => {
    const bench = benchOf({});
    await bench.form((form) => {
      form.fields.set('key', `\u001b[31m\u202e${'k'.repeat(900)}`);
    });
    const found = await bench.lastStory();
    const story = found === undefined ? '' : textOf(found);
    expect(story).toContain('\\u001b[31m\\u202ekkk');
    expect(story.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(story.length).toBeLessThan(10_000);
  });
});

describe('what is kept of refused requests', () => {
  it('has no secret, right signature, token or callback', async () => {
    const bench = benchOf({});
    const callback = Buffer.from('{"callbackBody":"of-a-callback"}').toString('base64');
    await bench.form((form) => {
      form.fields.set('callback', callback).set('x-oss-security-token', 'token-in-a-form');
      form.fields.set('key', 'other');
    });
    const rightly = signedPath('GET', 'dir/none', 2e9, { 'security-token': 'token-in-a-url' });
    await bench.send({ path: rightly });
    await bench.call('QueryOTAFirmware', { AccessKeySecret: OPS.secret, FirmwareId: 'none' });
    for (let found = await bench.lastStory(); found; found = await bench.lastStory()) {
      told.push(found);
    }
    const list = await Promise.all(
      Object.values(benches).map(async ({ oss: { gateway } }) => {
        const { refusals } = gateway.records;
        const kept = await refusals?.list({ limit: 1000 });
        return kept?.map(({ refusal }) => refusal);
      }),
    );
    const logs = Object.values(benches).flatMap(({ log }) => log);
    const everything = JSON.stringify([told, list, logs]);
    const signature = new URLSearchParams(rightly.split('?')[1]).get('Signature') ?? 'none';
    const secrets = [...SECRETS, signature, callback, 'token-in-a', 'token-of-another-key'];
    for (const secret of secrets) expect(everything).not.toContain(secret);
    expect(everything).not.toContain('of-a-callback');
    expect(everything).toContain(OPS.id);
  });
});
