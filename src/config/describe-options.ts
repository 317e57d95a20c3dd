import { z } from 'zod';
import type { SettingRow } from './setting-row.ts';
import { SETTING_GROUPS } from './settings.ts';

/** Describes every setting, group by group. Its result is written into setting-table.ts and the documentation. */
export function describeOptions(): SettingRow[] {
  return Object.entries(SETTING_GROUPS).flatMap(([group, shape]) =>
    Object.entries(shape).map(([name, schema]) => {
      const preset = z.safeParse(schema, undefined);
      const value = preset.success ? preset.data : undefined;
      const isSwitch = typeof value === 'boolean';
      return {
        group,
        name,
        description: schema.description ?? '',
        default: presetText(schema, value),
        isSwitch,
        words: isSwitch ? ['on', 'off'] : wordsOf(schema),
      };
    }),
  );
}

/** The way a person would write a default. */
function presetText(schema: unknown, value: unknown): string | undefined {
  if (schema instanceof z.ZodPrefault) return String(schema.def.defaultValue);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'string' || value === undefined ? value : JSON.stringify(value);
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
