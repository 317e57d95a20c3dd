import { spoilFile } from '../../faults/connection-faults.ts';
import type { Fault, FaultPlan } from '../../faults/fault-plan.ts';
import type { ErrorElements, OssErrorCode } from '../errors.ts';
import { beginFault, connectionBroken, injectedRefusal, takeFault } from '../injected-faults.ts';
import type { OssRequest } from '../oss-request.ts';
import type { AuthorizeForm, FormCommand } from './authorize-form.ts';
import type { PostForm } from './read-form.ts';

/**
 * Injects the faults of a plan into authorized forms.
 * @returns an authorization that also throws the OssError of an injected refusal, and ClientVanished when the client
 *   closes the connection during a delay
 */
export function withFaults(plan: FaultPlan, authorize: AuthorizeForm): AuthorizeForm {
  return async (form, request) => {
    const command = await authorize(form, request);
    const fault = takeFault(plan, 'PostObject', command.key);
    return fault === undefined ? command : applyFault(fault, request, form, command);
  };
}

/** The refusals that OSS sends after the object is stored. */
const AFTER_STORING: ReadonlySet<string> = new Set<OssErrorCode>(['CallbackFailed']);

async function applyFault(
  fault: Fault,
  { raw }: OssRequest,
  form: PostForm,
  command: FormCommand,
): Promise<FormCommand> {
  const elements = (code: OssErrorCode): ErrorElements => usualElements(code, form, command);
  if (fault.kind === 'refuse' && AFTER_STORING.has(fault.code)) {
    const error = injectedRefusal(fault, elements);
    return { ...command, success: () => Promise.reject(error) };
  }
  await beginFault(fault, raw, elements);
  return { ...command, bytes: spoilFile(raw, command.bytes, fault, connectionBroken) };
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
