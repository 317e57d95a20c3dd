import type { IncomingMessage } from 'node:http';
import { corruptResponse, pause, spoilFile } from '../../faults/connection-faults.ts';
import type { Fault, FaultPlan } from '../../faults/fault-plan.ts';
import { ClientVanished } from '../../http/request-chunks.ts';
import { OSS_ERROR_CODES, OssError, isOssErrorCode, ossError } from '../errors.ts';
import type { ErrorElements, OssErrorCode } from '../errors.ts';
import type { AuthorizeForm, FormCommand } from './authorize-form.ts';
import type { PostForm } from './read-form.ts';

/** @returns the error codes that a fault can inject */
export function faultCodes(): readonly string[] {
  return OSS_ERROR_CODES;
}

/**
 * Injects the faults of a plan into authorized forms.
 * @returns an authorization that also throws the OssError of an injected refusal, and ClientVanished when the client
 *   closes the connection during a delay
 */
export function withFaults(plan: FaultPlan, authorize: AuthorizeForm): AuthorizeForm {
  return async (form, request) => {
    const command = await authorize(form, request);
    const fault = plan.take({ operation: 'PostObject', key: command.key });
    return fault === undefined ? command : applyFault(fault, request.raw, form, command);
  };
}

/** The refusals that OSS sends after the object is stored. */
const AFTER_STORING: ReadonlySet<string> = new Set<OssErrorCode>(['CallbackFailed']);

async function applyFault(
  fault: Fault,
  request: IncomingMessage,
  form: PostForm,
  command: FormCommand,
): Promise<FormCommand> {
  if (fault.kind === 'refuse') {
    const error = refusal(fault, form, command);
    if (!AFTER_STORING.has(fault.code)) throw error;
    return { ...command, success: () => Promise.reject(error) };
  }
  if (fault.kind === 'delay' && !(await pause(request, fault.time))) throw connectionBroken();
  corruptResponse(request, fault);
  return { ...command, bytes: spoilFile(request, command.bytes, fault, connectionBroken) };
}

function connectionBroken(): Error {
  return new ClientVanished('a fault broke the connection');
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

/** @returns the elements that a real refusal of this form has */
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
