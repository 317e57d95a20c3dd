import type { ParameterCode } from '../errors.ts';
import { change, refusal, required } from './parameter.ts';
import type { Parameter } from './parameter.ts';
import { FIRMWARE_NAME } from './rules.ts';

const NAME = 'FirmwareName';

/** The name of a new firmware package. */
export const newName = distinguishBlank(
  required(NAME, 'The name of the firmware package, unique in the account.', FIRMWARE_NAME),
);

/** A new name for an existing firmware package. */
export const changedName = distinguishBlank(change(NAME, 'A new name.', FIRMWARE_NAME));

/** Gives an empty name, and one of spaces only, their own error codes. */
function distinguishBlank<T>(parameter: Parameter<T>): Parameter<T> {
  return {
    ...parameter,
    read: (given) => {
      const text = given.values.get(given.prefix + parameter.name);
      const code = text === undefined ? undefined : blankCode(text);
      if (code === undefined) return parameter.read(given);
      throw refusal(code, given, parameter.name, `must be ${parameter.rule.expected}`);
    },
  };
}

function blankCode(text: string): ParameterCode | undefined {
  if (text === '') return 'iot.firmware.NullFirmwareName';
  return text.trim() === '' ? 'iot.firmware.BlankFirmwareName' : undefined;
}
