import { createRefusal, keptFields } from '../../refusals/refusal-record.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { FormJudge, FormVerdict } from '../ports.ts';
import type { JudgedShape } from '../shapes.ts';
import { iso } from '../show.ts';
import type { ExplainContext } from './explain.ts';
import { explain } from './explain.ts';
import { info } from './fact-lines.ts';
import { conditionLines, policyExpiry } from './form-story.ts';

/** @returns the fields of a form by lower-case name; those of a refused one stand for those that are not given */
export function fieldsOf(
  given: Readonly<Record<string, string>>,
  refused: RefusalRecord | undefined,
): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const { evidence } = refused ?? {};
  for (const [name, value] of Object.entries(evidence?.fields ?? {})) {
    if (!value.endsWith('...')) fields.set(name, value);
  }
  const { policy, signature } = evidence ?? {};
  if (policy !== undefined) fields.set('policy', policy);
  if (signature !== undefined) fields.set('signature', signature);
  for (const [name, value] of Object.entries(given)) fields.set(name.toLowerCase(), value);
  return fields;
}

/** Judges a form offline, and tells every condition of its policy. */
export function judgeFields(
  fields: ReadonlyMap<string, string>,
  { judge, now }: FormJudge,
  context: ExplainContext,
): JudgedShape {
  const at = now();
  const verdict = judge(fields);
  const record = recordOf(fields, verdict ?? ACCEPTED, at);
  const conditions = conditionLines(record, context.bucket);
  const expiresAt = policyExpiry(record);
  const validity = expiresAt === undefined ? [] : [validityLine(expiresAt, at)];
  if (verdict !== undefined) {
    const { headline, lines, toPass } = explain(record, context);
    const isTold = lines.some(({ mark }) => mark !== 'info');
    const more = isTold ? [] : conditions;
    const signed = verdict.isSigned ? [SIGNED] : [];
    return {
      accepted: false,
      story: {
        headline: headline.replace('was refused', 'would be refused'),
        lines: [...signed, ...lines, ...validity, ...more],
        toPass,
      },
    };
  }
  return {
    accepted: true,
    story: {
      headline: 'PostObject would accept this form',
      lines: [SIGNED, ...validity, ...conditions],
      toPass: 'post it with its file as the last part',
    },
  };
}

const SIGNED = { mark: 'met', text: 'the signature is right' } as const;

const ACCEPTED: FormVerdict = {
  ...{ code: 'OK', status: 200, ec: undefined, reason: 'internal', summary: '', elements: {} },
  isSigned: true,
};

function validityLine(expiresAt: number, now: number): JudgedShape['story']['lines'][number] {
  if (now < expiresAt) return { mark: 'met', text: `valid until ${iso(expiresAt)}` };
  return info(`expired ${iso(expiresAt)}; judged at ${iso(now)}`);
}

function recordOf(
  fields: ReadonlyMap<string, string>,
  { code, ec, elements, reason, status, summary }: FormVerdict,
  at: number,
): RefusalRecord {
  const { OSSAccessKeyId, SignatureProvided, StringToSign } = elements;
  const key = fields.get('key');
  const request = {
    ...({ requestId: '', at, dialect: 'oss', operation: 'PostObject', code, reason } as const),
    ...{ account: undefined, peer: undefined, traceId: undefined },
    keys: key === undefined ? [] : [key],
  };
  return createRefusal(request, {
    ...{ headers: {}, status, ec, message: summary },
    accessKeyId: OSSAccessKeyId ?? fields.get('ossaccesskeyid'),
    evidence: {
      policy: fields.get('policy'),
      fields: keptFields(fields),
      details: elements,
      signature: SignatureProvided,
      stringToSign: StringToSign,
    },
  });
}
