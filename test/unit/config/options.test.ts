import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { describeOptions } from '../../../src/config/describe-options.ts';
import type { GatewayOptions } from '../../../src/config/options.ts';
import type { optionsSchema } from '../../../src/config/settings.ts';
import { SETTING_TABLE } from '../../../src/config/setting-table.ts';
import { SETTING_GROUPS } from '../../../src/config/settings.ts';

interface TableScript {
  renderSettingTable(rows: ReturnType<typeof describeOptions>): string;
}

const { renderSettingTable } = jest.requireActual<TableScript>(
  '../../../scripts/write-setting-table.js',
);

interface OptionsScript {
  renderOptions(settings: object, describe: typeof describeOptions): string;
}

const { renderOptions } = jest.requireActual<OptionsScript>('../../../scripts/write-options.js');

type Equal<A, B> = [A, keyof A, B, keyof B] extends [B, keyof B, A, keyof A] ? true : false;

it('accepts exactly what the schema of the settings accepts', () => {
  // The compiler checks this line.
  const isEqual: Equal<GatewayOptions, z.input<typeof optionsSchema>> = true;
  expect(isEqual).toBe(true);
});

it('is what `npm run docs` writes', () => {
  const path = join(__dirname, '..', '..', '..', 'src', 'config', 'options.ts');
  // Prettier breaks lines, and puts a bar before each member of a long union.
  const squeeze = (text: string): string => text.replace(/[\s|]+/g, '');
  const written = squeeze(readFileSync(path, 'utf8'));
  expect(written).toBe(squeeze(renderOptions(SETTING_GROUPS, describeOptions)));
});

it('finds in setting-table.ts what `npm run docs` writes', () => {
  // The same data, however it is laid out.
  expect(SETTING_TABLE).toEqual(describeOptions());
  expect(renderSettingTable(describeOptions())).toContain('name: "claimTtl"');
});

it('describes every option', () => {
  const described = describeOptions().map(({ description }) => description.length > 10);
  expect(described.length).toBeGreaterThan(30);
  expect(described).not.toContain(false);
});
