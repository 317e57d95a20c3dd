import type { ParameterCode } from '../errors.ts';
import type { Rule } from './parameter.ts';

/*
 * The rules that parameters of several operations share: IoT Platform, "CreateOTAFirmware" and the other pages, and
 * the field descriptions of the generated SDKs. Lengths are in characters (code points), not in bytes or UTF-16 units.
 */

export function pattern(regex: RegExp, expected: string, code: ParameterCode): Rule<string> {
  return {
    type: 'String',
    expected,
    code,
    parse: (text) => (regex.test(text) ? text : undefined),
  };
}

export function oneOf<T extends string>(values: readonly T[], code: ParameterCode): Rule<T> {
  return {
    type: 'String',
    expected: `one of ${values.join(', ')}`,
    code,
    parse: (text) => values.find((value) => value === text),
  };
}

export function atMost(characters: number, code: ParameterCode): Rule<string> {
  return {
    type: 'String',
    expected: `at most ${characters} characters long`,
    code,
    parse: (text) => (Array.from(text).length <= characters ? text : undefined),
  };
}

/** Integers in decimal digits, with inclusive bounds. */
export function integer(
  [min, max]: readonly [number, number],
  expected: string,
  code: ParameterCode,
): Rule<number> {
  const parse = (text: string): number | undefined => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };
  return { type: 'Integer', expected, code, parse };
}

/** `true` or `false`, in upper or lower case, because Python writes `True`. */
export function flag(code: ParameterCode): Rule<boolean> {
  const parse = (text: string): boolean | undefined => {
    const lower = text.toLowerCase();
    return lower === 'true' || lower === 'false' ? lower === 'true' : undefined;
  };
  return { type: 'Boolean', expected: 'true or false', code, parse };
}

/** Chinese, Japanese and English letters, and digits. The long-vowel marks are listed, because no `Script` has them. */
const WORD = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\u30fc\uff70A-Za-z0-9';

export const FIRMWARE_NAME = pattern(
  new RegExp(`^[${WORD}][${WORD}\\-_()]{0,39}$`, 'u'),
  '1 to 40 Chinese, English or Japanese characters, digits or - _ ( ), beginning with a letter or digit',
  'iot.firmware.IncorrectFormattedFirmwareName',
);

export function versionRule(code: ParameterCode): Rule<string> {
  return pattern(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits or . - _', code);
}

export const DEST_VERSION = versionRule('iot.firmware.IncorrectFormattedFirmwareVersion');

/** Length and alphabet are unverified; every published key fits. */
export const PRODUCT_KEY = pattern(
  /^[A-Za-z0-9]{1,64}$/,
  '1 to 64 letters or digits',
  'iot.prod.InvalidFormattedProductkey',
);

/** Length and alphabet are unverified; every published id fits. */
export const FIRMWARE_ID = pattern(
  /^[A-Za-z0-9]{1,64}$/,
  '1 to 64 letters or digits',
  'iot.firmware.InvalidFirmwareId',
);

export const DESCRIPTION = atMost(100, 'iot.firmware.FirmwareDescriptionExceedMaxLength');

export const UDI = atMost(4096, 'iot.check.ParameterIsNotLessThanMax');
