import { ApiCallError } from '../client/api-call-error.ts';
import { CommandError } from './command-error.ts';

const KEYS =
  'Give the access key of this gateway: that of its data folder (--data-dir), or --access-key-id and --access-key-secret';

/** What to do about errors of both APIs that a user of a command can mend. */
const HINTS: Readonly<Record<string, string>> = {
  'InvalidAccessKeyId.NotFound': KEYS,
  'InvalidAccessKeyId.Inactive': KEYS,
  InvalidAccessKeySecret: KEYS,
  SignatureDoesNotMatch: `The secret belongs to another access key. ${KEYS}`,
  'InvalidTimeStamp.Expired':
    'Set the clock of this machine; `ota-gateway doctor` compares the two',
  ServiceUnavailable: 'Try again in a moment; `ota-gateway health` says why it cannot be served',
  DiskFull: 'Free some space there by other means; `ota-gateway health` says when it is enough',
  'Throttling.User': 'Try again in a second',
  'iot.firmware.AlreadyExistedFirmwareName':
    'Choose another --name, or remove the package with `ota-gateway rm`',
  'iot.firmware.AlreadyExistedFirmwareVersion': 'Choose another --version',
  'iot.firmware.EmptyFirmwareFile': 'Upload a file that has content',
  'iot.firmware.FirmwareCountExceedMax':
    'Remove packages with `ota-gateway rm`, or raise OTA_GATEWAY_MAX_PACKAGES',
  'iot.firmware.SystemBusy': 'Run the command again in a moment',
  'iot.system.InstanceNotFound': 'Give an instance of the account with --instance-id',
};

/** @returns what to do about an error of the IoT API or of the operator API */
export function hintFor(code: string): string | undefined {
  return HINTS[code];
}

/** The gateway tells the string to sign, which helps nobody who uses a command. */
const MESSAGES: Readonly<Record<string, string>> = {
  SignatureDoesNotMatch: 'the gateway computes another signature',
};

/** @returns a text that replaces that of an API */
export function messageFor(code: string): string | undefined {
  return MESSAGES[code];
}

/** The error for an answer that is not one of a gateway. @param text - what was answered, or a text with it */
export function notAGateway(
  address: string,
  status: number,
  text: string,
  options?: ErrorOptions,
): CommandError {
  const isTls = text.includes('plain HTTP request was sent to HTTPS port');
  const [problem, hint] = isTls
    ? ['does not take plain HTTP: its port speaks TLS', 'Give an address that begins with https://']
    : [
        `answers with status ${String(status)}, and not as a gateway does`,
        'Check that this is the address of a gateway of this version, see --endpoint',
      ];
  return new CommandError('UnexpectedAnswer', `${address} ${problem}`, hint, options);
}

/** Adds what to do to an error of the API. @returns errors of another kind unchanged */
export function withHint(error: unknown): unknown {
  if (!(error instanceof ApiCallError)) return error;
  if (error.code === 'InvalidResponse') {
    return notAGateway('the address', error.status, error.message, { cause: error });
  }
  const message = messageFor(error.code) ?? error.message.replace(/\.$/, '');
  return new CommandError(error.code, message, HINTS[error.code], { cause: error });
}

/** Runs calls of the API. @throws their errors with what to do */
export async function explainingCalls<T>(calls: () => Promise<T>): Promise<T> {
  try {
    return await calls();
  } catch (error) {
    throw withHint(error);
  }
}
