import { z } from 'zod';
import { SETTING_GROUPS } from '../config/settings.ts';
import { describeOptions } from '../config/config.ts';

/** @returns the words that a setting takes; empty when it takes any text, and for what is not a setting */
export function choicesOfSetting(name: string): readonly string[] {
  const option = describeOptions().find((each) => each.name === name);
  if (option === undefined) return [];
  if (option.isSwitch) return ['on', 'off'];
  return Object.values(SETTING_GROUPS).flatMap((group) => wordsOf(group[name]));
}

/** The words of an enumeration, also of one with a default, and of one beside numbers. */
function wordsOf(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(wordsOf);
  const hasInner =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional;
  return hasInner ? wordsOf(schema.unwrap()) : [];
}
