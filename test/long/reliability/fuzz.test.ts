import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { XMLValidator } from 'fast-xml-parser';
import fc from 'fast-check';
import { z } from 'zod';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  ACCOUNT_KEY,
  BUCKET_KEY,
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { hostileDelivery } from './deliveries.ts';
import type { Delivery } from './deliveries.ts';
import { amount, Dice, report } from './dice.ts';
import type { Answer } from './exchange.ts';
import { deliver, exchange, isHead, readAnswer, readAnswers } from './exchange.ts';
import { objectRequest, signedCall } from './hostile-calls.ts';
import type { HostileRequest } from './hostile-forms.ts';
import { signedForm, signPolicy } from './hostile-forms.ts';
import { mutated, recordDialects } from './mutations.ts';
import { isAlive, openFiles, residentBytes } from './process-facts.ts';
import { findProblems, inspectData } from './inspect-data.ts';

const REQUESTS = amount('RELIABILITY_REQUESTS', 5000);
const AT_ONCE = 16;
const MIB = 1024 * 1024;

const recordedCall = z.object({
  method: z.string(),
  url: z.string(),
  rawHeaders: z.array(z.string()),
  body: z.string(),
});

/** The captured calls of real SDKs, as bytes. */
async function recordedCalls(): Promise<HostileRequest[]> {
  const path = join(__dirname, '..', '..', 'fixtures', 'captured-requests.jsonl');
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const { method, url, rawHeaders, body } = recordedCall.parse(JSON.parse(line));
    const headers = rawHeaders.map((text, n) => (n % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    const bytes = Buffer.from(`${method} ${url} HTTP/1.1\r\n${headers.join('')}\r\n${body}`);
    return { kind: 'a recorded call', bytes };
  });
}

/** The captured forms of real clients, for one key whose policy never expires. */
async function recordedForms(folder: string): Promise<HostileRequest[]> {
  const policy = Buffer.from(
    JSON.stringify({
      expiration: '2099-01-01T00:00:00.000Z',
      conditions: [{ bucket: 'iotx-ota' }, ['eq', '$key', 'ota/recorded.bin']],
    }),
  ).toString('base64');
  const fields = [
    ['key', 'ota/recorded.bin'],
    ['policy', policy],
    ['OSSAccessKeyId', BUCKET_KEY.id],
    ['Signature', signPolicy(policy)],
    ['success_action_status', '200'],
  ] as const;
  return recordDialects({ fields, bytes: patternBytes(3000), folder });
}

const SECRETS = [ACCOUNT_KEY.secret, BUCKET_KEY.secret];

/** @returns the problem of the response to a request; undefined when there is none */
function findProblem(request: Buffer, received: Buffer, dataDir: string): string | undefined {
  const leak = findLeakedSecret(received, dataDir);
  if (leak !== undefined) return leak;
  const answer = readAnswer(received, isHead(request));
  if (answer !== undefined) return findAnswerProblem(answer);
  return received.length > 0 ? 'the bytes are not a response' : undefined;
}

/**
 * @returns the first problem of the responses over a connection; undefined when there is none. The last response may be
 * cut off.
 */
function findConnectionProblem(received: Buffer, dataDir: string): string | undefined {
  const { answers, rest } = readAnswers(received);
  const text = rest.toString('latin1', 0, 9);
  if (text !== '' && !'HTTP/1.1 '.startsWith(text)) return 'the bytes are not a response';
  const problems = answers.map((bytes) => {
    const answer = readAnswer(bytes);
    return answer && findAnswerProblem(answer);
  });
  return findLeakedSecret(received, dataDir) ?? problems.find((problem) => problem !== undefined);
}

function findLeakedSecret(received: Buffer, dataDir: string): string | undefined {
  const text = received.toString('latin1');
  const secret = [...SECRETS, dataDir, 'node_modules', '.js:'].find((one) => text.includes(one));
  return secret && `the answer contains ${secret}`;
}

/** The only status above 500 that unsigned requests may cause: their memory is used up. */
function isBusy({ status, body }: Answer): boolean {
  return status === 503 && (body === '' || body.includes('ServiceUnavailable'));
}

function findAnswerProblem(answer: Answer): string | undefined {
  if (answer.status >= 500 && !isBusy(answer)) {
    return `the answer has status ${String(answer.status)}`;
  }
  if (/^content-type: text\/html/im.test(answer.head)) return 'the answer is HTML';
  if (/^x-injected/im.test(answer.head)) return 'a header was injected';
  if (answer.head.split('\r\n').some((line) => /[\r\n]/.test(line))) return 'a header was broken';
  const body = Buffer.from(answer.body, 'latin1').toString('utf8');
  if (/^content-type: (?:application|text)\/xml/im.test(answer.head) && body !== '') {
    if (body.includes('<Injected')) return 'an element was injected';
    const valid = XMLValidator.validate(body);
    if (valid !== true) return `the answer is not XML: ${valid.err.msg}`;
  }
  const isJson = /^content-type: application\/json/im.test(answer.head);
  return isJson && body !== '' && !parses(body) ? 'the answer is not JSON' : undefined;
}

function hasStored(received: Buffer): boolean {
  const status = readAnswer(received)?.status ?? 0;
  return status >= 200 && status < 400;
}

/** Status and code of a response. */
function summary(received: Buffer): string {
  const answer = readAnswer(received);
  if (answer === undefined) return 'no answer';
  const [, xml, json] = /<Code>([^<]*)|"Code":"([^"]*)/.exec(answer.body) ?? [];
  return `${String(answer.status)} ${xml ?? json ?? ''}`;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('hostile requests', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;

  beforeAll(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'deep', 'down', 'data'), {
      OTA_GATEWAY_CLAIM_TTL: '1s',
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
      OTA_GATEWAY_IDLE_TIMEOUT: '5s',
      OTA_GATEWAY_DRAIN_TIME: '200ms',
      OTA_GATEWAY_PUBLIC_READ: 'on',
    });
  });

  afterAll(async () => {
    await gateway.stop();
    await folder.remove();
  });

  it(
    `never crash or block the gateway in ${String(REQUESTS)} exchanges, and leak and leave nothing`,
    async () => {
      const dice = Dice.roll('fuzz');
      const recorded = fc.constantFrom(
        ...(await recordedForms(folder.path)),
        ...(await recordedCalls()),
      );
      const request = fc.oneof(
        { weight: 4, arbitrary: signedForm },
        { weight: 2, arbitrary: mutated(signedForm) },
        { weight: 3, arbitrary: mutated(recorded) },
        { weight: 3, arbitrary: signedCall },
        { weight: 1, arbitrary: mutated(signedCall) },
        { weight: 3, arbitrary: objectRequest },
        { weight: 1, arbitrary: mutated(objectRequest) },
      );
      const outcomes = new Map<string, number>();
      const problems = new Map<string, string>();
      const note = (problem: string | undefined, bytes: Buffer, received: Buffer): void => {
        // Keeps one example of each kind; the run continues to find more than one.
        if (problem === undefined || problems.has(problem)) return;
        problems.set(problem, `${show(bytes)}\n=>\n${show(received)}`);
      };
      const count = (outcome: string): void => {
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      };
      const exchangeOne = async ({ kind, bytes, readBack }: HostileRequest): Promise<void> => {
        const { received, hung } = await exchange(gateway.port, bytes);
        count(`${kind}: ${summary(received)}`);
        note(hung ? 'it hung' : findProblem(bytes, received, gateway.dataDir), bytes, received);
        if (readBack === undefined || !hasStored(received)) return;
        const again = await exchange(gateway.port, readBack);
        const problem = findProblem(readBack, again.received, gateway.dataDir);
        note(
          again.hung ? 'reading it hung' : problem && `reading it: ${problem}`,
          bytes,
          again.received,
        );
      };
      const deliverThem = async ({ kind, steps, requests }: Delivery): Promise<void> => {
        const { received, hung } = await deliver(gateway.port, steps, requests);
        count(`${kind}: ${summary(received)}`);
        const sent = steps.flatMap((step) => (step.do === 'send' ? [step.bytes] : []));
        const problem = hung ? 'it hung' : findConnectionProblem(received, gateway.dataDir);
        note(problem && `${kind}: ${problem}`, Buffer.concat(sent), received);
      };
      const exchanged = fc.oneof(
        { weight: 7, arbitrary: request.map((one) => () => exchangeOne(one)) },
        { weight: 3, arbitrary: hostileDelivery(request).map((one) => () => deliverThem(one)) },
      );
      const property = fc.asyncProperty(exchanged, async (run) => {
        await run();
        if (!isAlive(gateway.pid)) throw new Error(`it has died: ${lastOf(gateway.output())}`);
      });
      const before = { files: openFiles(gateway.pid), memory: residentBytes(gateway.pid) };
      const numRuns = Math.ceil(REQUESTS / AT_ONCE);
      await Promise.all(
        Array.from({ length: AT_ONCE }, () =>
          fc.assert(property, { numRuns, seed: dice.below(2 ** 31), endOnFailure: true }),
        ),
      );
      const counts = [...outcomes].sort(([, a], [, b]) => b - a).slice(0, 40);
      for (const [outcome, times] of counts) {
        report('fuzz', `${String(times).padStart(6)} ${outcome}`);
      }
      expect(Object.fromEntries(problems)).toEqual({});

      const files = openFiles(gateway.pid);
      report('fuzz', `descriptors: ${String(before.files)} before, ${String(files)} at the end`);
      await eventually(() => openFiles(gateway.pid) <= before.files + 5, 30_000);
      await eventually(async () => (await bodiesOnDisk(gateway.dataDir)).staging.length === 0);
      const memory = residentBytes(gateway.pid);
      report('fuzz', `memory: ${megabytes(before.memory)} before, ${megabytes(memory)} after`);
      expect(memory).toBeLessThan(before.memory + 250 * MIB);
      await servesAsBefore();
    },
    120_000 + REQUESTS * 60,
  );

  /** Checks that the gateway works, has leaked nothing, and has written only its own files. */
  async function servesAsBefore(): Promise<void> {
    const bytes = patternBytes(1000);
    expect(await post(await grantFrom(gateway.url), bytes)).toMatchObject({ status: 200 });
    for (const secret of SECRETS) expect(gateway.output()).not.toContain(secret);
    expect(gateway.output()).not.toMatch(/"level":"(?:error|fatal)"/);
    expect(await findProblems(await inspectData(gateway.dataDir))).toEqual([]);
    expect(await readdir(dirname(gateway.dataDir))).toEqual(['data']);
    expect(await readdir(dirname(dirname(gateway.dataDir)))).toEqual(['down']);
    const entries = await readdir(gateway.dataDir);
    expect(entries.filter((name) => !/^(?:gateway|server)\./.test(name)).sort()).toEqual([
      'journal',
      'objects',
      'recovered',
      'staging',
    ]);
    const objects = await readdir(join(gateway.dataDir, 'objects'), { recursive: true });
    expect(objects.filter((name) => !/^[0-9a-f]{2}(?:\/[0-9a-f]{32})?$/.test(name))).toEqual([]);
  }
});

function show(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 3000).toString('latin1'));
}

/** @returns the last output of an ended process, which contains the reason */
function lastOf(output: string): string {
  return JSON.stringify(output.slice(-3000));
}

function megabytes(bytes: number): string {
  return `${String(Math.round(bytes / MIB))} MiB`;
}
