import { formatCondition, isConditionMet, unescapeDollars } from '../../policy/conditions.ts';
import type { Condition } from '../../policy/conditions.ts';
import { parsePolicy } from '../../policy/policy-document.ts';
import { quotedJson } from '../../lib/quoted.ts';
import { isNotKept } from '../../refusals/refusal-record.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { ExplainContext } from './explain.ts';
import { info } from './lines.ts';
import type { Line } from './lines.ts';

/** What a story tells of a form. */
export interface ToldForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly policy: string | undefined;
  /** Whether a field, by its name, is as it was sent. */
  readonly isWhole: (name: string) => boolean;
  /** Whether the form had more fields. */
  readonly hasMore: boolean;
}

/** @returns the form itself where it is at hand, else what its record keeps of it */
export function toldForm(
  { evidence }: RefusalRecord,
  { form }: Pick<ExplainContext, 'form'>,
): ToldForm {
  if (form !== undefined) {
    return { fields: form, policy: form.get('policy'), isWhole: () => true, hasMore: false };
  }
  const { cut = [], fields = {}, hasMoreFields = false, policy } = evidence;
  const isWhole = (name: string): boolean => !cut.includes(name);
  return { fields: new Map(Object.entries(fields)), policy, isWhole, hasMore: hasMoreFields };
}

/** @returns a line for each condition of the policy of a form: whether it is met, and what was sent */
export function conditionLines(refusal: RefusalRecord, context: ExplainContext): Line[] {
  const form = toldForm(refusal, context);
  const { policy } = form;
  if (policy === undefined) return [];
  if (!form.isWhole('policy')) return [info('the policy is too long to be kept')];
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

/** A field that counts before the type of the file. */
const OSS_TYPE = 'x-oss-content-type';

function subjectOf(
  { announced, evidence: { fileType } }: RefusalRecord,
  form: ToldForm,
  bucket: string,
): Subject {
  const { fields } = form;
  const types = [fields.get(OSS_TYPE), fileType, fields.get('content-type')];
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
  const names = field === 'content-type' ? [OSS_TYPE, field] : [field];
  if (sent !== undefined && !names.every(subject.isWhole)) {
    return info(text, [`the value of ${field} is not kept whole`]);
  }
  if (isConditionMet(condition, subject)) return { mark: 'met', text };
  if (sent === undefined && subject.hasMore) {
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
  if (isNotKept(field)) return `the value of ${field} is not shown`;
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
export function firstDifference(one: string, other: string): number {
  let index = 0;
  while (index < one.length && one[index] === other[index]) index += 1;
  return index;
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} bytes`;
}
