// Generates the settings as plain data: the help of a command must not wait for their schemas.

const NOTE = `/*
 * Written by \`npm run docs\` from the table in settings.ts; do not edit.
 */`;

/** Renders src/config/setting-table.ts, before Prettier formats it. @param rows - every setting */
function renderSettingTable(rows) {
  const written = rows.map((row) => {
    const members = Object.entries(row).map(([name, value]) => `${name}: ${literal(value)}`);
    return `{ ${members.join(', ')} }`;
  });
  return `${NOTE}
import type { SettingRow } from './setting-row.ts';

/** Every setting, in the order in which the help shows them. */
export const SETTING_TABLE: readonly SettingRow[] = [
${written.map((row) => `  ${row},`).join('\n')}
];
`;
}

function literal(value) {
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

module.exports = { renderSettingTable };
