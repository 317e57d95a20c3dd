import { visible } from '../../lib/quoted.ts';
import { parseCredentialV4 } from '../../signatures/credential-v4.ts';
import type { ScopeV4 } from '../../signatures/credential-v4.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { ComparedShape } from '../refusal-shapes.ts';
import type { ExplainContext } from './explain.ts';
import { brokenLine, firstDifference, toldForm } from './form-story.ts';
import { findKnownMistake } from './known-mistakes.ts';
import type { SignatureRule } from './known-mistakes.ts';
import { info, masked } from './lines.ts';
import type { Told } from './lines.ts';

/** Tells of a wrong signature: the text that it has to be made of, and how the client has made it. */
export function tellSignature(refusal: RefusalRecord, context: ExplainContext): Told {
  const { accessKeyId, evidence } = refusal;
  const form = toldForm(refusal, context);
  const { policy } = form;
  const { signature, stringToSign = policy } = evidence;
  if (stringToSign === undefined) return { lines: [] };
  const isWhole = form.isWhole(evidence.stringToSign === undefined ? 'policy' : 'stringToSign');
  const shown = stringToSign.slice(0, MAX_SHOWN).split('\n');
  const lines = [
    ...(accessKeyId === undefined ? [] : [info(`access key ${masked(accessKeyId)}`)]),
    info('the text to sign, as the gateway has read it:', shown),
    ...(policy === undefined ? [] : brokenLine(policy)),
  ];
  if (signature === undefined || context.keys.length === 0) {
    return { lines, compare: compareTexts(stringToSign) };
  }
  if (!isWhole) {
    const untried = info('it is not kept whole: no known mistake was tried');
    return { lines: [...lines, untried], compare: compareTexts(stringToSign) };
  }
  const rule = ruleOf(refusal, form.fields, stringToSign);
  const mistake = findKnownMistake({ ...rule, provided: signature, stringToSign }, context.keys);
  const cause = mistake?.description ?? 'none of the known mistakes makes the signature fit';
  return { lines: [...lines, info(cause)], compare: compareTexts(stringToSign, mistake?.signed) };
}

/** @returns both texts with every invisible character escaped, except line breaks, and where they begin to differ */
function compareTexts(read: string, signed?: string): ComparedShape {
  const what = 'string to sign';
  const gateway = visibleText(read);
  if (signed === undefined) return { what, gateway };
  const client = visibleText(signed);
  const isEqual = client === gateway;
  return {
    ...{ what, client, gateway },
    ...(!isEqual && { firstDifference: firstDifference(client, gateway) }),
  };
}

function visibleText(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** Characters of a text to sign. */
const MAX_SHOWN = 4099;

/** @returns how the signature has to be made */
function ruleOf(
  { dialect, operation }: RefusalRecord,
  fields: ReadonlyMap<string, string>,
  stringToSign: string,
): SignatureRule {
  if (dialect === 'iot') {
    return stringToSign.startsWith('ACS3-')
      ? { kind: 'account', suffix: '', algorithm: 'sha256', encoding: 'hex' }
      : { kind: 'account', suffix: '&', algorithm: 'sha1', encoding: 'base64' };
  }
  const isForm = operation === 'PostObject';
  const scope = isForm ? scopeOfForm(fields) : scopeOf(`-/${stringToSign.split('\n')[2] ?? ''}`);
  return scope === undefined
    ? { kind: 'bucket', suffix: '', algorithm: 'sha1', encoding: 'base64' }
    : { kind: 'bucket', suffix: '', algorithm: 'sha256', encoding: 'hex', scope };
}

/** Only a form of version 4 has this field; its version was checked before its signature. */
function scopeOfForm(fields: ReadonlyMap<string, string>): ScopeV4 | undefined {
  return fields.has('x-oss-signature-version')
    ? scopeOf(fields.get('x-oss-credential') ?? '')
    : undefined;
}

function scopeOf(credential: string): ScopeV4 | undefined {
  return parseCredentialV4(credential);
}
