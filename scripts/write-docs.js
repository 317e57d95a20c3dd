// Generates pages of docs/, and tables in other pages, from tables in the code (dist/). A test compares them with src/.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const NOTE = '<!-- Written by `npm run docs`; do not edit. -->';

/** Formats a table as Prettier does. */
function table(head, rows) {
  const lines = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) =>
    Math.max(3, ...lines.map((cells) => cells[column].length)),
  );
  const line = (cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(lines[0]), rule, ...lines.slice(1).map(line)].join('\n');
}

function page(...paragraphs) {
  return `${[NOTE, ...paragraphs].join('\n\n')}\n`;
}

const code = (text) => `\`${text}\``;

function parameterRows(parameters, prefix = '') {
  return parameters.flatMap((parameter) => [
    [
      code(prefix + parameter.name),
      parameter.type,
      parameter.required ? 'yes' : '',
      parameter.default === undefined ? '' : code(parameter.default),
      parameter.about,
      code(parameter.expected),
      code(parameter.code),
    ],
    ...parameterRows(parameter.entries ?? [], `${parameter.name}.N.`),
  ]);
}

const PARAMETER_HEAD = ['Parameter', 'Type', 'Required', 'Default', 'About', 'Must be', 'Else'];

function operationsPage({ operations, version }) {
  return page(
    '# Operations of the IoT API',
    `Version ${version}. The same as JSON: [iot-api.json](iot-api.json). All errors: [errors.md](errors.md).`,
    ...operations.flatMap(({ name, parameters, perSecond, summary }) => [
      `## ${name}`,
      `${summary} At most ${perSecond} calls per second and account.`,
      table(PARAMETER_HEAD, parameterRows(parameters)),
    ]),
  );
}

function ossRows(errors) {
  const rows = Object.entries(errors).flatMap(([name, { causes = {}, status, ...usual }]) =>
    [usual, ...Object.values(causes)].map(({ ec = '', message = usual.message }) => [
      code(name),
      String(status),
      ec,
      code(message),
    ]),
  );
  // Causes that only operators distinguish have the same row.
  return [...new Map(rows.map((row) => [row.join(), row])).values()];
}

function errorsPage({ businessErrors, gatewayErrors, ossErrors, policyProblems }) {
  return page(
    '# Errors',
    'Distinguish errors by their code. `{...}` is a placeholder.',
    '## IoT API: calls that did not reach their operation',
    'The response has the HTTP status of the table, and `Code` and `Message` in JSON or XML.',
    table(
      ['Code', 'Status', 'Message'],
      Object.entries(gatewayErrors).map(([name, { message, status }]) => [
        code(name),
        String(status),
        code(message),
      ]),
    ),
    '## IoT API: calls that their operation refused',
    'The response has the HTTP status 200, `Success` false, and `Code` and `ErrorMessage` in JSON or XML.',
    table(
      ['Code', 'ErrorMessage'],
      Object.entries(businessErrors).map(([name, message]) => [code(name), code(message)]),
    ),
    '## OSS host',
    'The response has the HTTP status of the table, and `Code`, `Message` and the fine-grained `EC` in XML. Each cause has a line; the first one of a code is the usual cause, and the one that an injected fault with this code has.',
    table(['Code', 'Status', 'EC', 'Message'], ossRows(ossErrors)),
    '## OSS host: policies that cannot be read',
    'All are `InvalidPolicyDocument` with the HTTP status 400. `Invalid Policy: ` stands before each message.',
    table(
      ['EC', 'Message'],
      Object.values(policyProblems).map(({ ec, message }) => [ec, code(message)]),
    ),
  );
}

/** @returns the text of each page by its name in docs/ */
function renderPages(tables) {
  const { openApi, operations, version } = tables;
  return {
    // In one line: it is for programs, and indentation is more than half of it.
    'openapi.json': `${JSON.stringify(openApi)}\n`,
    'iot-api.json': `${JSON.stringify({ version, operations }, undefined, 2)}\n`,
    'iot-api.md': operationsPage(tables),
    'errors.md': errorsPage(tables),
  };
}

function settingRows(settings, wanted) {
  return settings
    .filter(({ group }) => group === wanted)
    .map(({ description, preset, variable }) => [
      code(variable),
      preset === undefined ? 'none' : code(preset),
      description,
    ]);
}

/** @returns the page of the settings with a new table for each group */
function renderSettings(text, settings) {
  const groups = [...new Set(settings.map(({ group }) => group))];
  const written = groups.flatMap((group) => [
    `## ${group}`,
    table(['Variable', 'Default', 'Meaning'], settingRows(settings, group)),
  ]);
  return text.replace(
    /(<!-- settings -->\n)[^]*?(<!-- \/settings -->)/,
    (_all, start, end) => `${start}\n${written.join('\n\n')}\n\n${end}`,
  );
}

/** @returns the page of the fidelity with an updated table of differences */
function renderFidelity(text, differences) {
  const errorCode = (row) => code(row.split('.')[0]);
  const rows = Object.entries(differences).map(([name, row]) => [
    code(name),
    row.behavior,
    row.oss,
    row.lenient,
    row.refusal === undefined ? '' : errorCode(row.refusal),
    row.source,
  ]);
  const head = ['Code', 'Request', 'OSS', 'Here', 'Error when strict', 'Source'];
  return text.replace(
    /(<!-- differences -->\n)[^]*?(<!-- \/differences -->)/,
    (_all, start, end) => `${start}\n${table(head, rows)}\n\n${end}`,
  );
}

/** @returns the page of the architecture with an updated table of rooms */
function renderArchitecture(text, entries) {
  const rows = Object.entries(entries).map(([name, { holds, imports }]) => [
    code(`src/${name}`),
    holds,
    imports
      .filter((other) => other !== name)
      .map(code)
      .join(' '),
  ]);
  const written = table(['Entry', 'Holds', 'May import'], rows);
  return text.replace(
    /(<!-- rooms -->\n)[^]*?(<!-- \/rooms -->)/,
    (_all, start, end) => `${start}\n${written}\n\n${end}`,
  );
}

/** @returns the page of the command line with an updated table of commands */
function renderCommands(text, verbs) {
  const rows = verbs
    .filter(({ hidden }) => !hidden)
    .map(({ description, usage }) => [code(`ota-gateway ${usage}`), description]);
  return text.replace(
    /(<!-- verbs -->\n)[^]*?(<!-- \/verbs -->)/,
    (_all, start, end) => `${start}\n${table(['Command', 'Does'], rows)}\n\n${end}`,
  );
}

/** @returns every setting, with its variable, default and description */
function listSettings({ describeOptions, variableName }) {
  return describeOptions().map(({ default: preset, description, group, name }) => ({
    group,
    variable: variableName(name),
    preset,
    description,
  }));
}

/** @returns the page of the metrics with an updated table */
function renderMetrics(text, { COUNTERS, GAUGES, HISTOGRAMS, PREFIX }) {
  const types = { counter: COUNTERS, gauge: GAUGES, histogram: HISTOGRAMS };
  const rows = Object.entries(types).flatMap(([type, definitions]) =>
    Object.entries(definitions).map(([name, { buckets, help, labels }]) => [
      code(PREFIX + name),
      buckets === undefined ? type : `${type}: ${buckets.join(' ')}`,
      labels.map(code).join(' '),
      help,
    ]),
  );
  const written = table(['Metric', 'Type', 'Labels', 'Meaning'], rows);
  return text.replace(
    /(<!-- metrics -->\n)[^]*?(<!-- \/metrics -->)/,
    (_all, start, end) => `${start}\n${written}\n\n${end}`,
  );
}

module.exports = {
  listSettings,
  renderArchitecture,
  renderCommands,
  renderFidelity,
  renderMetrics,
  renderPages,
  renderSettings,
};

if (require.main === module) {
  const dist = (path) => require(join('..', 'dist', path));
  const { BUSINESS_ERRORS, GATEWAY_ERRORS } = dist('iot/errors.js');
  const pages = renderPages({
    version: dist('iot/admit.js').API_VERSION,
    operations: dist('iot/describe.js').describeOperations(),
    gatewayErrors: GATEWAY_ERRORS,
    businessErrors: BUSINESS_ERRORS,
    ossErrors: dist('oss/error-table.js').OSS_ERRORS,
    policyProblems: dist('policy/policy-problems.js').POLICY_PROBLEMS,
    openApi: dist('ops/openapi.js').describeOpenApi(),
  });
  for (const [name, text] of Object.entries(pages)) {
    writeFileSync(join(__dirname, '..', 'docs', name), text);
  }
  const docs = join(__dirname, '..', 'docs');
  const rewrite = (name, render) => {
    const path = join(docs, name);
    writeFileSync(path, render(readFileSync(path, 'utf8')));
  };
  const settings = listSettings({ ...dist('config/describe-options.js'), ...dist('cli/names.js') });
  rewrite('settings.md', (text) => renderSettings(text, settings));
  const { formatOptions, renderOptions } = require('./write-options.js');
  const { renderSettingTable } = require('./write-setting-table.js');
  const { SETTING_GROUPS } = dist('config/settings.js');
  const { describeOptions } = dist('config/describe-options.js');
  const sources = {
    'options.ts': renderOptions(SETTING_GROUPS, describeOptions),
    'setting-table.ts': renderSettingTable(describeOptions()),
  };
  for (const [name, source] of Object.entries(sources)) {
    formatOptions(source).then((text) => {
      writeFileSync(join(__dirname, '..', 'src', 'config', name), text);
    });
  }
  const { DIFFERENCES } = dist('oss/differences.js');
  rewrite('metrics.md', (text) => renderMetrics(text, dist('metrics/definitions.js')));
  rewrite('fidelity.md', (text) => renderFidelity(text, DIFFERENCES));
  const { VERBS } = dist('cli/verbs.js');
  rewrite('cli.md', (text) => renderCommands(text, VERBS));
  const { entries } = require('../architecture.js');
  rewrite('architecture.md', (text) => renderArchitecture(text, entries));
}
