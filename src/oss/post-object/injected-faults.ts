import type { IncomingMessage } from 'node:http';
import { pause, corruptResponse, spoilFile } from '../../faults/connection-faults.ts';
import type { Fault } from '../../faults/fault-plan.ts';
import { ClientVanished } from '../../http/request-chunks.ts';
import { OSS_ERROR_CODES, OssError, isOssErrorCode, ossError } from '../errors.ts';
import type { OssErrorCode } from '../errors.ts';
import type { AuthorizedForm } from './authorize-form.ts';
import type { PostForm } from './read-form.ts';

/** @returns the codes that a form can be refused with on purpose */
export function faultCodes(): readonly string[] {
  return OSS_ERROR_CODES;
}

/** A form that was authorized, and is going to fail. */
export interface FaultedForm {
  /** The bytes of its file, as far as they come. */
  readonly bytes: AsyncIterable<Buffer>;
  /** To be called when the file is stored. @throws OssError for a refusal that leaves it stored */
  readonly afterwards: () => void;
}

/** The only refusal of OSS that comes when the object is stored already. */
const AFTERWARDS: ReadonlySet<string> = new Set<OssErrorCode>(['CallbackFailed']);

/**
 * Makes an authorized form fail as a test has specified.
 * @throws OssError for a specified refusal; ClientVanished when the client does not wait
 */
export async function injectFault(
  fault: Fault | undefined,
  request: IncomingMessage,
  form: PostForm,
  authorized: AuthorizedForm,
): Promise<FaultedForm> {
  // Without a fault nothing may keep the form: its fields are many bytes, and an upload takes long.
  if (fault === undefined) return { bytes: form.file.bytes, afterwards: () => undefined };
  return faultForm(fault, request, form, authorized);
}

async function faultForm(
  fault: Fault,
  request: IncomingMessage,
  form: PostForm,
  authorized: AuthorizedForm,
): Promise<FaultedForm> {
  const broken = (): Error => new ClientVanished('the connection was broken on purpose');
  const refuse = (): void => {
    if (fault.kind === 'refuse') throw refusal(fault, form, authorized);
  };
  const isLate = fault.kind === 'refuse' && AFTERWARDS.has(fault.code);
  if (!isLate) refuse();
  if (fault.kind === 'delay' && !(await pause(request, fault.time))) throw broken();
  corruptResponse(request, fault);
  return { bytes: spoilFile(request, form.file.bytes, fault, broken), afterwards: refuse };
}

function refusal(
  { code, details, message }: Extract<Fault, { kind: 'refuse' }>,
  form: PostForm,
  authorized: AuthorizedForm,
): OssError {
  if (!isOssErrorCode(code)) throw new Error(`OSS has no error ${code}`);
  const elements = { ...usualElements(code, form, authorized), ...details };
  return message === undefined
    ? ossError(code, { elements })
    : new OssError(code, { message, elements });
}

/** What a real refusal of this form says beside its code. */
function usualElements(
  code: OssErrorCode,
  { fields, file }: PostForm,
  { size }: AuthorizedForm,
): Record<string, string> {
  const accessKeyId = fields.get('ossaccesskeyid') ?? '';
  switch (code) {
    case 'InvalidAccessKeyId':
      return { OSSAccessKeyId: accessKeyId };
    case 'SignatureDoesNotMatch':
      return {
        OSSAccessKeyId: accessKeyId,
        SignatureProvided: fields.get('signature') ?? '',
        StringToSign: fields.get('policy') ?? '',
      };
    case 'EntityTooLarge':
      return sizes('MaxSizeAllowed', size.max ?? 0, file);
    case 'EntityTooSmall':
      return sizes('MinSizeAllowed', size.min, file);
    case 'InvalidArgument':
      return { ArgumentName: 'key', ArgumentValue: fields.get('key') ?? '' };
    default:
      return {};
  }
}

function sizes(name: string, allowed: number, file: PostForm['file']): Record<string, string> {
  return { [name]: String(allowed), ProposedSize: String(file.announcedSize ?? 0) };
}
