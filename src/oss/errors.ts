import type { RefusalReason } from '../refusals/refusal-reason.ts';
import { fill, withoutValues } from '../lib/template.ts';
import type { Placeholder, Values } from '../lib/template.ts';
import { OSS_ERRORS } from './error-table.ts';
import type { OssErrorRow } from './error-table.ts';

type Table = typeof OSS_ERRORS;

/** The code of an OSS error. Distinguish errors by their code, never by their message. */
export type OssErrorCode = keyof Table;

type CausesOf<Code extends OssErrorCode> = Table[Code] extends { readonly causes: infer Causes }
  ? Causes
  : unknown;

/** The name of a cause in the table: `<Code>` for the default one, `<Code>.<cause>` for any other. */
export type OssErrorName = {
  [Code in OssErrorCode]: Code | `${Code}.${keyof CausesOf<Code> & string}`;
}[OssErrorCode];

type MessageOf<Name extends OssErrorName> = Name extends OssErrorCode
  ? Table[Name]['message']
  : Name extends `${infer Code extends OssErrorCode}.${infer Cause}`
    ? Cause extends keyof CausesOf<Code>
      ? CausesOf<Code>[Cause] extends { readonly message: infer Message extends string }
        ? Message
        : Table[Code]['message']
      : never
    : never;

/** Further elements of an error's XML, in this order. */
export type ErrorElements = Readonly<Record<string, string>>;

interface AnyOptions {
  readonly elements?: ErrorElements;
  /** The error that caused this one. */
  readonly cause?: unknown;
  /** Absent: that of the cause in the table. */
  readonly reason?: RefusalReason | undefined;
}

/** Options of {@link ossError}; `values` is required when the message has placeholders. */
type Options<Name extends OssErrorName> = [Placeholder<MessageOf<Name>>] extends [never]
  ? [options?: AnyOptions]
  : [options: AnyOptions & { readonly values: Values<MessageOf<Name>> }];

/** @returns whether the table has the code */
export function isOssErrorCode(code: string): code is OssErrorCode {
  return Object.hasOwn(OSS_ERRORS, code);
}

/** Every code of the table. */
export const OSS_ERROR_CODES: readonly OssErrorCode[] =
  Object.keys(OSS_ERRORS).filter(isOssErrorCode);

interface OssErrorFacts extends AnyOptions {
  /** Which row of the table it is; undefined for a message that is not in the table. */
  readonly row?: OssErrorName;
  readonly message: string;
  readonly ec?: string | undefined;
  /** The message when a part of it may not be kept. */
  readonly summary?: string | undefined;
}

/** A request that OSS refuses. */
export class OssError extends Error {
  override readonly name = 'OssError';
  readonly code: OssErrorCode;
  readonly row: OssErrorName;
  readonly status: number;
  /** Fine-grained code. */
  readonly ec: string | undefined;
  readonly elements: ErrorElements;
  /** Why, in the words of the operator. */
  readonly reason: RefusalReason;
  /** The message as it may be kept: without the values of a request that may be secret. */
  readonly summary: string;

  /** Use {@link ossError}, except for a message that is not in the table. */
  constructor(
    code: OssErrorCode,
    { message, ec, elements = {}, cause, reason, row, summary }: OssErrorFacts,
  ) {
    super(message, { cause });
    this.code = code;
    this.row = row ?? code;
    this.status = OSS_ERRORS[code].status;
    this.ec = ec;
    this.elements = elements;
    this.reason = reason ?? reasonOf(code);
    this.summary = summary ?? message;
  }
}

/** Stands for a part of the policy, or for the value of a header. */
const PRIVATE_PLACEHOLDER = /\{(?:condition|acl)\}/;

/** Creates the error of a cause in the table. */
export function ossError<Name extends OssErrorName>(
  name: Name,
  ...[options]: Options<Name>
): OssError {
  const [code = '', cause] = name.split('.');
  if (!isOssErrorCode(code)) throw new Error(`OSS has no error ${name}`);
  const row: OssErrorRow = OSS_ERRORS[code];
  const {
    ec,
    message = row.message,
    reason,
  } = (cause === undefined ? row : row.causes?.[cause]) ?? row;
  const given: AnyOptions & { readonly values?: Readonly<Record<string, string>> } = options ?? {};
  const isPrivate = PRIVATE_PLACEHOLDER.test(message);
  return new OssError(code, {
    ...given,
    row: name,
    ec,
    reason: given.reason ?? reason,
    message: fill(message, given.values ?? {}),
    summary: isPrivate ? withoutValues(message) : undefined,
  });
}

function reasonOf(code: OssErrorCode): RefusalReason {
  const row: OssErrorRow = OSS_ERRORS[code];
  return row.reason ?? 'parameter';
}

/** @returns the element, which is ours, with what an error of OSS does not say: what was wrong, or what to do */
export function hint(text: string): ErrorElements {
  return { Hint: text };
}

const ACCOUNT_KEY =
  'this is the access key of an account, which signs API calls; here the key of the bucket is needed, as ' +
  'GenerateOTAUploadURL returned it (Data.OSSAccessKeyId)';

/** @param isOfAccount - whether it is the access key of an account */
export function unknownAccessKey(accessKeyId: string, isOfAccount: boolean): OssError {
  const elements = { OSSAccessKeyId: accessKeyId, ...(isOfAccount && hint(ACCOUNT_KEY)) };
  return ossError('InvalidAccessKeyId', { elements });
}

/** @returns the elements that OSS has in each `InvalidArgument` */
export function argument(name: string, value: string): ErrorElements {
  return { ArgumentName: name, ArgumentValue: value };
}
