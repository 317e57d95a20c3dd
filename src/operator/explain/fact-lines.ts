import { quotedJson, visible } from '../../lib/quoted.ts';
import { isNotKept } from '../../refusals/refusal-record.ts';
import type { CorsMismatch, RefusalRecord } from '../../refusals/refusal-record.ts';
import { iso } from '../show.ts';
import type { ExplainContext } from './explain.ts';
import { toldForm } from './form-story.ts';
import { info } from './lines.ts';
import type { Line, Told } from './lines.ts';

/** @returns what was sent and measured, and what is allowed, of any refused request */
export function factLines(refusal: RefusalRecord, context: ExplainContext): Line[] {
  const details = new Map(Object.entries(refusal.evidence.details ?? {}));
  const texts = [
    sentArgument(toldForm(refusal, context).fields, details),
    ...FACTS.flatMap(([name, say]) => {
      const value = details.get(name);
      return value === undefined ? [] : [say(value, context, details)];
    }),
    details.get('Hint'),
  ];
  const lines = texts.flatMap((text) => (text === undefined ? [] : [info(text)]));
  return [...lines, ...partLines(refusal, context), ...keyLine(refusal)];
}

/** Elements of errors of OSS, and how they are said. */
const FACTS: readonly (readonly [
  name: string,
  say: (value: string, context: ExplainContext, details: ReadonlyMap<string, string>) => string,
])[] = [
  ['ProposedSize', (value) => `sent ${bytes(value)}`],
  [
    'MaxSizeAllowed',
    (value, { maxUpload }, details) => {
      const isOfForm = details.has('Field');
      const by = Number(value) === maxUpload ? ' by OTA_GATEWAY_MAX_UPLOAD' : ' by the policy';
      return `allowed at most ${bytes(value)}${isOfForm ? '' : by}`;
    },
  ],
  ['MinSizeAllowed', (value) => `allowed at least ${bytes(value)} by the policy`],
  ['CalculatedDigest', (value) => `the body has ${quotedJson(value)}`],
  ['Expires', (value) => `valid until ${value}`],
  ['Header', (value) => `sent the header ${value}`],
  [
    'Method',
    (value, _, details) => `sent method ${value} for ${details.get('ResourceType') ?? ''}`,
  ],
  ['AllowedMethods', (value) => `allowed: ${value}`],
  [
    'BucketName',
    (value, { bucket }) => `bucket of the request: ${value}; the bucket here is ${bucket}`,
  ],
  ['RangeRequested', (value) => `sent Range = ${quotedJson(value)}`],
  ['ActualObjectSize', (value) => `the object has ${bytes(value)}`],
  ['PublicHost', (value) => `the host of the public URL was tried, too: ${value}`],
  ['Host', (value) => `the header Host was received as ${value}`],
  [
    'FirstRequestId',
    (value, _, details) =>
      `the call ${value} has used the nonce first, at ${details.get('FirstUsedAt') ?? ''}`,
  ],
  [
    'FirmwareId',
    (value, _, details) =>
      `the package ${value} has the name, with version ${details.get('DestVersion') ?? ''}`,
  ],
  [
    'Difference',
    (value) => `docs/fidelity.md, ${value}: OSS refuses this, a lenient gateway does not`,
  ],
];

function bytes(count: string): string {
  return `${Number(count).toLocaleString('en')} bytes`;
}

/** @returns the header, the parameter or the field that an error names, and its value */
function sentArgument(
  fields: ReadonlyMap<string, string>,
  details: ReadonlyMap<string, string>,
): string | undefined {
  const name = details.get('ArgumentName');
  if (name === undefined) return undefined;
  const value = details.get('ArgumentValue') ?? '';
  if (value !== '' && isNotKept(name.toLowerCase())) return `the value of ${name} is not kept`;
  if (value !== '') return `sent ${name} = ${quotedJson(value)}`;
  const sent = fields.get(name.toLowerCase());
  if (sent === undefined) return `${name} was not sent, or is empty`;
  return sent === '' ? `${name} was sent empty` : `the value of ${name} is not shown`;
}

function partLines(refusal: RefusalRecord, context: ExplainContext): Line[] {
  const { dialect, evidence } = refusal;
  const { fileName, fileType } = evidence;
  const entries = [...toldForm(refusal, context).fields];
  const names = entries.map(([name]) => name).join(', ');
  const file = [
    ...(fileName === undefined ? [] : [`name of the file: ${quotedJson(fileName)}`]),
    ...(fileType === undefined || fileType === '' ? [] : [`type of the file: ${fileType}`]),
  ].map((text) => info(text));
  if (entries.length === 0) return file;
  if (dialect !== 'iot') return [info(`fields before the file: ${names}`), ...file];
  const values = entries.map(([name, value]) => `${name} = ${quotedJson(value)}`);
  return [info(`parameters of the call: ${names}`, values)];
}

/** A form has its key among its fields, and its conditions show it. */
function keyLine({ dialect, evidence: { fields }, key }: RefusalRecord): Line[] {
  return key === undefined || fields?.['key'] !== undefined || dialect === 'iot'
    ? []
    : [info(`key: ${key}`)];
}

/** Time differences are allowed up to 15 minutes, where the error does not say another one. */
const ALLOWED_MS = 15 * 60_000;

/** Tells the date of the client, that of the gateway, their difference, and the allowed one. */
export function tellClocks({ at, evidence: { date, details = {} } }: RefusalRecord): Told {
  const sent = details['RequestTime'] ?? date;
  const now = Date.parse(details['ServerTime'] ?? iso(at));
  const time = sent === undefined ? NaN : parseDate(sent);
  const allowed = Number(details['MaxAllowedSkewMilliseconds'] ?? ALLOWED_MS);
  const direction = time > now ? 'ahead' : 'behind';
  const isRead = !Number.isNaN(time);
  const lines = [
    ...(sent === undefined ? [] : [info(`date of the client: ${sent}`)]),
    info(`clock of the gateway: ${iso(now)}`),
    ...(isRead
      ? [
          info(
            `the client is ${span(Math.abs(now - time))} ${direction}; allowed: ${span(allowed)}`,
          ),
        ]
      : []),
  ];
  if (sent === undefined) return { lines };
  return {
    lines,
    clocks: {
      client: isRead ? iso(time) : visible(sent),
      gateway: iso(now),
      ...(isRead && { difference: time - now }),
    },
  };
}

const COMPACT = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

function parseDate(text: string): number {
  return Date.parse(text.replace(COMPACT, '$1-$2-$3T$4:$5:$6Z'));
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

function span(milliseconds: number): string {
  if (milliseconds >= 2 * DAY) return `${String(Math.round(milliseconds / DAY))} days`;
  if (milliseconds >= 2 * HOUR) return `${String(Math.round(milliseconds / HOUR))} hours`;
  if (milliseconds >= 2 * MINUTE) return `${String(Math.round(milliseconds / MINUTE))} min`;
  return `${(milliseconds / SECOND).toFixed(1)} s`;
}

/** @returns what a browser asked for, and a rule that would allow it */
export function corsLines({ evidence: { cors } }: RefusalRecord): Line[] {
  const sent = [
    ['Origin', cors?.origin],
    ['Access-Control-Request-Method', cors?.method],
    ['Access-Control-Request-Headers', cors?.headers],
  ] as const;
  const lines = sent.map(([name, value]) =>
    info(value === undefined ? `no ${name} was sent` : `sent ${name} = ${quotedJson(value)}`),
  );
  if (cors?.origin === undefined) return lines;
  const { mismatches } = cors;
  const noRule = mismatches?.length === 0 ? [info('OTA_GATEWAY_CORS_RULES has no rule')] : [];
  const unmet = (mismatches ?? []).map(mismatchLine);
  const rule = [
    {
      allowedOrigins: [cors.origin],
      allowedMethods: [cors.method ?? 'POST'],
      allowedHeaders: cors.headers === undefined ? [] : ['*'],
    },
  ];
  const would = info('this rule would allow it:', [JSON.stringify(rule)]);
  return [...lines, ...noRule, ...unmet, would];
}

function mismatchLine({ allowed, rule, value, what }: CorsMismatch): Line {
  const only = allowed === '' ? `no ${what}` : allowed;
  const text = `rule ${String(rule)}: the ${what} ${quotedJson(value)} is not allowed; allowed: ${only}`;
  return { mark: 'notMet', text };
}
