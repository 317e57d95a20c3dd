import type { IncomingMessage } from 'node:http';
import { corruptResponse, pause, spoilFile } from '../../faults/connection-faults.ts';
import type { Fault, FaultPlan } from '../../faults/fault-plan.ts';
import { ClientVanished } from '../../http/request-chunks.ts';
import { OSS_ERROR_CODES, OssError, isOssErrorCode, ossError } from '../errors.ts';
import type { ErrorElements, OssErrorCode } from '../errors.ts';
import type { AuthorizeForm, FormCommand } from './authorize-form.ts';
import type { PostForm } from './read-form.ts';

/** @returns the codes that a form can be refused with on purpose */
export function faultCodes(): readonly string[] {
  return OSS_ERROR_CODES;
}

/**
 * Lets forms that were authorized fail as a test has specified.
 * @returns an authorization that throws OssError for an injected refusal, and ClientVanished when the client gives up
 *   during a delay
 */
export function withFaults(plan: FaultPlan, authorize: AuthorizeForm): AuthorizeForm {
  return async (form, request) => {
    const command = await authorize(form, request);
    const fault = plan.take({ operation: 'PostObject', key: command.key });
    return fault === undefined ? command : applyFault(fault, request.raw, form, command);
  };
}

/** The only refusal of OSS that comes when the object is stored already. */
const AFTERWARDS: ReadonlySet<string> = new Set<OssErrorCode>(['CallbackFailed']);

async function applyFault(
  fault: Fault,
  request: IncomingMessage,
  form: PostForm,
  command: FormCommand,
): Promise<FormCommand> {
  if (fault.kind === 'refuse') {
    const error = refusal(fault, form, command);
    if (!AFTERWARDS.has(fault.code)) throw error;
    return { ...command, success: () => Promise.reject(error) };
  }
  if (fault.kind === 'delay' && !(await pause(request, fault.time))) throw broken();
  corruptResponse(request, fault);
  return { ...command, bytes: spoilFile(request, command.bytes, fault, broken) };
}

function broken(): Error {
  return new ClientVanished('the connection was broken on purpose');
}

function refusal(
  { code, details, message }: Extract<Fault, { kind: 'refuse' }>,
  form: PostForm,
  command: FormCommand,
): OssError {
  if (!isOssErrorCode(code)) throw new Error(`OSS has no error ${code}`);
  const elements = { ...usualElements(code, form, command), ...details };
  return message === undefined
    ? ossError(code, { elements })
    : new OssError(code, { message, elements });
}

/** What a real refusal of this form says beside its code. */
function usualElements(
  code: OssErrorCode,
  { fields, file }: PostForm,
  { size }: FormCommand,
): ErrorElements {
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
      return sizes('MaxSizeAllowed', size.max, file);
    case 'EntityTooSmall':
      return sizes('MinSizeAllowed', size.min, file);
    case 'InvalidArgument':
      return { ArgumentName: 'key', ArgumentValue: fields.get('key') ?? '' };
    default:
      return {};
  }
}

function sizes(name: string, allowed: number, file: PostForm['file']): ErrorElements {
  return { [name]: String(allowed), ProposedSize: String(file.announcedSize ?? 0) };
}
