import { formatCondition, isConditionMet, unescapeDollars } from '../../policy/conditions.ts';
import type { Condition } from '../../policy/conditions.ts';
import { parsePolicy } from '../../policy/policy-document.ts';
import { quotedJson } from '../../lib/quoted.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { StoryShape } from '../shapes.ts';

type Line = StoryShape['lines'][number];

/** @returns a line for each condition of the policy of a form: whether it is met, and what was sent */
export function conditionLines({ announced, evidence }: RefusalRecord, bucket: string): Line[] {
  const { fields = {}, fileType, policy } = evidence;
  if (policy === undefined) return [];
  const parsed = parsePolicy(policy);
  if (policy.endsWith('...')) return [{ mark: 'info', text: 'the policy is too long to be kept' }];
  if (parsed.kind === 'invalid') return [{ mark: 'notMet', text: parsed.message }];
  const sent = new Map(Object.entries(fields));
  const contentType = [sent.get('x-oss-content-type'), fileType, sent.get('content-type')].find(
    (type) => type !== undefined && type !== '',
  );
  const subject = { bucket, fields: sent, contentType };
  const lines = parsed.document.conditions.map((condition): Line => {
    const text = formatCondition(condition);
    if (condition.kind === 'content-length-range') {
      const details = announced === undefined ? [] : [`the body has ${bytes(announced)}`];
      return { mark: 'info', text, details };
    }
    const { field } = condition;
    if (sent.get(field)?.endsWith('...')) {
      return { mark: 'info', text, details: [`the value of ${field} is not kept whole`] };
    }
    if (isConditionMet(condition, subject)) return { mark: 'met', text };
    return { mark: 'notMet', text, details: [sentValue(condition, subject)] };
  });
  const failed = lines.filter(({ mark }) => mark === 'notMet').length;
  const count = `${String(failed)} of ${String(lines.length)} conditions`;
  return failed === 0
    ? lines
    : [{ mark: 'info', text: `${count} ${failed === 1 ? 'is' : 'are'} not met:` }, ...lines];
}

/** @returns when the policy of a form expires, in Unix milliseconds */
export function policyExpiry({ evidence: { policy = '' } }: RefusalRecord): number | undefined {
  const parsed = parsePolicy(policy);
  return parsed.kind === 'parsed' ? parsed.document.expiration : undefined;
}

interface Subject {
  readonly bucket: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly contentType: string | undefined;
}

function sentValue(
  condition: Exclude<Condition, { kind: 'content-length-range' }>,
  { bucket, contentType, fields }: Subject,
): string {
  const { field } = condition;
  const sent =
    field === 'bucket' ? bucket : field === 'content-type' ? contentType : fields.get(field);
  if (sent === undefined) return `${field} was not sent`;
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
