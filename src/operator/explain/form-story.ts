import { formatCondition, isConditionMet, unescapeDollars } from '../../policy/conditions.ts';
import type { Condition } from '../../policy/conditions.ts';
import { parsePolicy } from '../../policy/policy-document.ts';
import { quotedJson } from '../../lib/quoted.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { ExplainContext } from './explain.ts';
import { info } from './lines.ts';
import type { Line } from './lines.ts';

/** What a story tells of a form. */
export interface ToldForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly policy: string | undefined;
  /** Whether a text was not cut. */
  readonly isWhole: (name: string, value: string) => boolean;
  /** Whether the form may have had more fields. */
  readonly mayHaveMore: boolean;
}

/** @returns the form itself where it is at hand, else what its record keeps of it */
export function toldForm(
  { evidence: { fields = {}, policy } }: RefusalRecord,
  { form }: Pick<ExplainContext, 'form'>,
): ToldForm {
  if (form !== undefined) {
    const isWhole = (): boolean => true;
    return { fields: form, policy: form.get('policy'), isWhole, mayHaveMore: false };
  }
  const mayHaveMore =
    Object.keys(fields).length >= KEPT.fields || JSON.stringify(fields).length > KEPT.json;
  return { fields: new Map(Object.entries(fields)), policy, isWhole: isKeptWhole, mayHaveMore };
}

/**
 * What a record keeps, in characters: `keptText` marks what it cuts with three dots, so that a text that was cut is
 * longer, and one that was sent with dots at its end is not. From `json` on, another field may have had no room.
 */
const KEPT = { key: 1023, value: 256, type: 200, policy: 4096, fields: 32, json: 4096 };

const NEVER_KEPT = /^(?:signature|x-oss-signature|x-oss-security-token|callback|callback-var)$/;
const SHORTENED_URL = /^\s*[a-z][a-z0-9+.-]*:\/\/[^]*\?\.\.\.$/i;

/** @returns whether the record of a refusal has the whole value of a field */
export function isKeptWhole(name: string, value: string): boolean {
  if (name === 'policy') return value.length <= KEPT.policy;
  if (isSecret(name)) return value === '';
  const limit = name === 'key' ? KEPT.key : name === 'content-type' ? KEPT.type : KEPT.value;
  return value.length <= limit && !SHORTENED_URL.test(value);
}

/** @returns whether a story does not show the value of a field */
export function isSecret(name: string): boolean {
  return NEVER_KEPT.test(name);
}

/** @returns a line for each condition of the policy of a form: whether it is met, and what was sent */
export function conditionLines(refusal: RefusalRecord, context: ExplainContext): Line[] {
  const form = toldForm(refusal, context);
  const { policy } = form;
  if (policy === undefined) return [];
  if (!form.isWhole('policy', policy)) return [info('the policy is too long to be kept')];
  const parsed = parsePolicy(policy);
  if (parsed.kind === 'parsed') {
    return listConditions(parsed.document.conditions, subjectOf(refusal, form, context.bucket));
  }
  const isSaid = parsed.message === refusal.message;
  return [
    ...(isSaid ? [] : [info(`the policy cannot be read: ${parsed.message}`)]),
    ...brokenLine(policy),
  ];
}

function subjectOf(
  { announced, evidence: { fileType } }: RefusalRecord,
  form: ToldForm,
  bucket: string,
): Subject {
  const { fields } = form;
  const types = [fields.get('x-oss-content-type'), fileType, fields.get('content-type')];
  const contentType = types.find((type) => type !== undefined && type !== '');
  return { ...form, announced, bucket, contentType };
}

/** @returns what has happened to a Base64 on its way */
export function brokenLine(policy: string): Line[] {
  if (/[\r\n]/.test(policy)) {
    return [info('the policy was sent with line breaks: write its Base64 in one line')];
  }
  return policy.includes(' ')
    ? [info('the policy was sent with spaces: each "+" of its Base64 must stay as it is')]
    : [];
}

interface Subject extends ToldForm {
  readonly bucket: string;
  readonly contentType: string | undefined;
  /** Bytes of the body. */
  readonly announced: number | undefined;
}

function listConditions(conditions: readonly Condition[], subject: Subject): Line[] {
  const lines = conditions.map((condition) => conditionLine(condition, subject));
  const failed = lines.filter(({ mark }) => mark === 'notMet').length;
  const count = `${String(failed)} of ${String(lines.length)} conditions`;
  return failed === 0
    ? lines
    : [info(`${count} ${failed === 1 ? 'is' : 'are'} not met:`), ...lines];
}

function conditionLine(condition: Condition, subject: Subject): Line {
  const text = formatCondition(condition);
  if (condition.kind === 'content-length-range') {
    const { announced } = subject;
    return info(text, announced === undefined ? [] : [`the body has ${bytes(announced)}`]);
  }
  const { field } = condition;
  const sent = sentOf(field, subject);
  if (sent !== undefined && !subject.isWhole(field, sent)) {
    return info(text, [`the value of ${field} is not kept whole`]);
  }
  if (isConditionMet(condition, subject)) return { mark: 'met', text };
  if (sent === undefined && subject.mayHaveMore) {
    return info(text, [`${field} was not sent, or is not among the fields that are kept`]);
  }
  return { mark: 'notMet', text, details: [sentValue(condition, sent)] };
}

/** @returns when the policy of a form expires, in Unix milliseconds */
export function policyExpiry(refusal: RefusalRecord, context: ExplainContext): number | undefined {
  const parsed = parsePolicy(toldForm(refusal, context).policy ?? '');
  return parsed.kind === 'parsed' ? parsed.document.expiration : undefined;
}

function sentOf(field: string, { bucket, contentType, fields }: Subject): string | undefined {
  if (field === 'bucket') return bucket;
  return field === 'content-type' ? contentType : fields.get(field);
}

function sentValue(
  condition: Exclude<Condition, { kind: 'content-length-range' }>,
  sent: string | undefined,
): string {
  const { field } = condition;
  if (sent === undefined) return `${field} was not sent`;
  if (isSecret(field)) return `the value of ${field} is not shown`;
  const shown = `sent ${field} = ${quotedJson(sent)}`;
  if (!('value' in condition)) return shown;
  const wanted = unescapeDollars(condition.value);
  const index = firstDifference(sent, wanted);
  const [found, expected] = [sent, wanted].map((text) => characterAt(text, index));
  return `${shown}; first difference at character ${String(index + 1)}: ${found ?? ''} instead of ${expected ?? ''}`;
}

function characterAt(text: string, index: number): string {
  const code = text.codePointAt(index);
  return code === undefined ? 'the end' : quotedJson(String.fromCodePoint(code));
}

/** @returns the index of the first character that differs */
function firstDifference(one: string, other: string): number {
  let index = 0;
  while (index < one.length && one[index] === other[index]) index += 1;
  return index;
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`;
}
