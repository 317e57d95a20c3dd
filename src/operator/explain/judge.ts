import { createRefusal, keptFields } from '../../refusals/refusal-record.ts';
import type { RefusalReason } from '../../refusals/refusal-reason.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import { OperatorError } from '../errors.ts';
import type { FormJudge, FormVerdict } from '../ports.ts';
import type { JudgedShape } from '../shapes.ts';
import { iso } from '../show.ts';
import type { ExplainContext } from './explain.ts';
import { explain, visibleLine } from './explain.ts';
import { conditionLines, policyExpiry, toldForm } from './form-story.ts';
import { info } from './lines.ts';
import type { Line } from './lines.ts';

/** A form to judge. */
export interface RestoredForm {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  /** What is said instead of checking its signature, where that is not known. */
  readonly unknownSignature?: Line;
  /** Whether the refused request had fields that are not kept. */
  readonly hasMore: boolean;
}

/**
 * Puts the fields of a refused form in the places of those that are not given.
 * @throws OperatorError when the request is not a form, or too little of it is kept
 */
export function restoreForm(
  given: Readonly<Record<string, string>>,
  refused: RefusalRecord | undefined,
): RestoredForm {
  const own = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  if (refused === undefined) return { fields: own, hasMore: false };
  if (refused.operation !== 'PostObject' || refused.dialect !== 'oss') throw notAForm(refused);
  return restoreKept(own, refused);
}

function restoreKept(own: ReadonlyMap<string, string>, refused: RefusalRecord): RestoredForm {
  const { fields: kept, hasMore, isWhole, policy } = toldForm(refused, {});
  const all = new Map([...kept, ...(policy === undefined ? [] : [['policy', policy] as const])]);
  const name = signatureName(new Map([...all, ...own]));
  const others = [...all].filter(([each]) => !own.has(each) && !SIGNATURES.includes(each));
  const lost = others.filter(([each]) => !isWhole(each));
  const { signature } = refused.evidence;
  const isKnown = own.has(name) || signature !== undefined || !kept.get(name);
  const isLost = !isKnown && refused.reason === 'signature_mismatch';
  const names = [...lost.map(([each]) => each), ...(isLost ? [name] : [])];
  if (names.length > 0) throw notKept(names);
  return {
    fields: new Map([
      ...others,
      ...(signature === undefined ? [] : [[name, signature] as const]),
      ...own,
    ]),
    ...(!isKnown && { unknownSignature: unknownSignature(refused, own) }),
    hasMore,
  };
}

const SIGNATURES = ['signature', 'x-oss-signature'];

/** @returns the field that has the signature of a form, by its version */
function signatureName(fields: ReadonlyMap<string, string>): string {
  const isV4 = fields.has('x-oss-signature-version');
  return isV4 || (fields.has('x-oss-signature') && !fields.has('signature'))
    ? 'x-oss-signature'
    : 'signature';
}

/** Fields that a signature is made of. */
const SIGNED_FIELDS = ['policy', 'ossaccesskeyid', 'x-oss-credential'];

function unknownSignature({ code, reason }: RefusalRecord, own: ReadonlyMap<string, string>): Line {
  const wasRight = PAST_SIGNATURE.includes(reason) || code === 'EntityTooLarge';
  if (!wasRight || SIGNED_FIELDS.some((name) => own.has(name))) {
    return info('the signature of the refused request is not kept: give one to have it checked');
  }
  return {
    mark: 'met',
    text: 'the signature was right when the request was refused; it is not kept, and not checked again',
  };
}

/** Reasons that are found only after the signature. */
const PAST_SIGNATURE: readonly RefusalReason[] = [
  ...(['policy_invalid', 'policy_expired', 'condition_failed', 'uncovered_field'] as const),
  ...(['too_small', 'limit', 'disk_full', 'immutable', 'exists', 'callback_failed'] as const),
];

function notAForm({ operation = 'not recognized' }: RefusalRecord): OperatorError {
  return new OperatorError(
    'conflict',
    'NotAForm',
    `only forms can be judged, which are posted to PostObject; this request is ${operation}`,
    'Ask for the refused request itself: `ota-gateway explain REQUEST_ID`, or GET refusals/REQUEST_ID',
  );
}

function notKept(names: readonly string[]): OperatorError {
  return new OperatorError(
    'conflict',
    'FormNotKept',
    `these fields of the refused request are not kept, or not whole: ${names.join(', ')}`,
    'Give these fields as well',
  );
}

/** Judges a form offline, and tells every condition of its policy. */
export function judgeFields(
  { fields, hasMore, unknownSignature }: RestoredForm,
  { judge, now }: FormJudge,
  gateway: ExplainContext,
): JudgedShape {
  const at = now();
  const verdict = judge(fields, unknownSignature !== undefined);
  const record = recordOf(fields, verdict ?? ACCEPTED, at);
  const context = { ...gateway, form: fields };
  const conditions = conditionLines(record, context).map(visibleLine);
  const expiresAt = policyExpiry(record, context);
  const validity = expiresAt === undefined ? [] : [validityLine(expiresAt, at)];
  const signed = [unknownSignature ?? SIGNED, ...(hasMore ? [HAS_MORE] : [])];
  if (verdict !== undefined) {
    const { compare, headline, lines, toPass } = explain(record, context);
    const more = TELLS_CONDITIONS.includes(verdict.reason) ? [] : conditions;
    return {
      accepted: false,
      story: {
        headline: headline.replace('was refused', 'would be refused'),
        lines: [...(verdict.isSigned ? signed : []), ...lines, ...validity, ...more],
        toPass,
        ...(compare && { compare }),
      },
    };
  }
  const isChecked = unknownSignature?.mark !== 'info';
  return {
    accepted: true,
    story: {
      headline: `PostObject would accept this form${isChecked ? '' : ' if its signature is right'}`,
      lines: [...signed, ...validity, ...conditions],
      toPass: 'post it with its file as the last part',
    },
  };
}

/** Reasons whose stories have the conditions. */
const TELLS_CONDITIONS = ['policy_invalid', 'condition_failed', 'uncovered_field'];

const HAS_MORE = info('the refused request had more fields than are kept');
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
      ...keptFields(fields),
      details: elements,
      signature: SignatureProvided,
      stringToSign: StringToSign,
    },
  });
}
