import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { entries } from '../../architecture.js';
import { variableName } from '../../src/cli/names.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { describeOptions } from '../../src/config/describe-options.ts';
import { API_VERSION } from '../../src/iot/admit.ts';
import { describeOperations } from '../../src/iot/describe.ts';
import { BUSINESS_ERRORS, GATEWAY_ERRORS } from '../../src/iot/errors.ts';
import * as definitions from '../../src/metrics/definitions.ts';
import { describeOpenApi } from '../../src/ops/openapi.ts';
import { DIFFERENCES } from '../../src/oss/differences.ts';
import { OSS_ERRORS } from '../../src/oss/error-table.ts';
import { POLICY_PROBLEMS } from '../../src/policy/policy-problems.ts';

interface DocsScript {
  renderArchitecture(text: string, rooms: object): string;
  renderCommands(text: string, verbs: readonly object[]): string;
  renderFidelity(text: string, differences: object): string;
  renderMetrics(text: string, definitions: object): string;
  listSettings(sources: object): readonly object[];
  renderSettings(text: string, settings: readonly object[]): string;
  renderPages(tables: Readonly<Record<string, unknown>>): Record<string, string>;
}

const {
  listSettings,
  renderArchitecture,
  renderCommands,
  renderFidelity,
  renderMetrics,
  renderPages,
  renderSettings,
} = jest.requireActual<DocsScript>('../../scripts/write-docs.js');

const pages = renderPages({
  version: API_VERSION,
  operations: describeOperations(),
  gatewayErrors: GATEWAY_ERRORS,
  businessErrors: BUSINESS_ERRORS,
  ossErrors: OSS_ERRORS,
  policyProblems: POLICY_PROBLEMS,
  openApi: describeOpenApi(),
});

it.each(Object.keys(pages))('finds in docs/%s what `npm run docs` writes', (name) => {
  expect(readFileSync(join(__dirname, '..', '..', 'docs', name), 'utf8')).toBe(pages[name]);
});

it('finds in docs/settings.md the table that `npm run docs` writes', () => {
  const text = readFileSync(join(__dirname, '..', '..', 'docs', 'settings.md'), 'utf8');
  const settings = listSettings({ describeOptions, variableName });
  expect(text).toBe(renderSettings(text, settings));
  expect(text).toContain('`OTA_GATEWAY_CLAIM_TTL`');
});

it.each([
  ['errors.md', [GATEWAY_ERRORS, BUSINESS_ERRORS, OSS_ERRORS].flatMap(Object.keys)],
  ['iot-api.md', describeOperations().flatMap(({ parameters }) => parameters.map((p) => p.name))],
])('finds every name in %s', (name, words) => {
  for (const word of words) expect(pages[name]).toContain(`\`${word}\``);
});

it('finds in docs/fidelity.md the table of differences that `npm run docs` writes, and no others', () => {
  const text = readFileSync(join(__dirname, '..', '..', 'docs', 'fidelity.md'), 'utf8');
  expect(text).toBe(renderFidelity(text, DIFFERENCES));
  expect(text).toContain('| `PathStyle`');
  expect(text).not.toContain('differs:');
});

it('finds in docs/metrics.md the table that `npm run docs` writes', () => {
  const text = readFileSync(join(__dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');
  expect(text).toBe(renderMetrics(text, definitions));
  expect(text).toContain('| `ota_gateway_uploads_stored_total`');
});

it('finds in docs/cli.md the table of commands that `npm run docs` writes', () => {
  const text = readFileSync(join(__dirname, '..', '..', 'docs', 'cli.md'), 'utf8');
  expect(text).toBe(renderCommands(text, VERBS));
  for (const { hidden, usage } of VERBS) {
    if (hidden !== true) expect(text).toContain(`ota-gateway ${usage}`);
  }
});

describe('docs/architecture.md', () => {
  const root = join(__dirname, '..', '..');
  const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  const [, ...sections] = text.split(/^## /m);
  const walks = sections.filter((section) => /^1\. `src/m.test(section));

  it('has the table of rooms that `npm run docs` writes', () => {
    expect(text).toBe(renderArchitecture(text, entries));
    expect(text).toContain('| `src/uploads`');
  });

  it('names only files that exist', () => {
    const named = Array.from(text.matchAll(/`(src\/[^`]+)`/g), ([, path]) => path ?? '');
    expect(named.length).toBeGreaterThan(80);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('names each file only once in a walk', () => {
    expect(walks).toHaveLength(4);
    for (const walk of walks) {
      const files = Array.from(walk.matchAll(/`(src\/[^`]+)`/g), ([, path]) => path);
      expect(files).toEqual([...new Set(files)]);
    }
  });
});

describe('the README', () => {
  const root = join(__dirname, '..', '..');
  const read = (name: string): string => readFileSync(join(root, name), 'utf8');
  const languages = ['README.md', 'README.zh-CN.md'];
  const partsOf = (text: string): unknown => ({
    blocks: text.match(/^```[^]*?^```$/gm),
    headings: text.match(/^#+(?= )/gm),
    commands: text.match(/`ota-gateway [^`]+`/g),
    settings: text.match(/OTA_GATEWAY_[A-Z_*]+/g),
    links: Array.from(text.matchAll(/\]\((?!README)([^)]+)\)/g), ([, target]) => target),
  });

  it('has the same headings, code, commands, settings and links in both languages', () => {
    const [english, chinese] = languages.map((name) => partsOf(read(name)));
    expect(chinese).toEqual(english);
  });

  it.each([...languages, 'docs/README.md', 'CONTRIBUTING.md'])(
    'links only to existing pages in %s',
    (name) => {
      const targets = Array.from(
        read(name).matchAll(/\]\(([^)#]+)/g),
        ([, target]) => target ?? '',
      );
      expect(targets.length).toBeGreaterThan(0);
      expect(targets.filter((target) => !existsSync(join(root, dirname(name), target)))).toEqual(
        [],
      );
    },
  );
});
