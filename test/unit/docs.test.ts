import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries } from '../../architecture.js';
import { variableName } from '../../src/cli/environment.ts';
import { describeOptions } from '../../src/config/config.ts';
import { API_VERSION } from '../../src/iot/admit.ts';
import { describeOperations } from '../../src/iot/describe.ts';
import { BUSINESS_ERRORS, GATEWAY_ERRORS } from '../../src/iot/errors.ts';
import { OSS_ERRORS } from '../../src/oss/errors.ts';

interface DocsScript {
  renderArchitecture(text: string, rooms: object): string;
  listSettings(sources: object): readonly object[];
  renderReadme(readme: string, settings: readonly object[]): string;
  renderPages(tables: Readonly<Record<string, unknown>>): Record<string, string>;
}

const { listSettings, renderArchitecture, renderPages, renderReadme } =
  jest.requireActual<DocsScript>('../../scripts/write-docs.js');

const pages = renderPages({
  version: API_VERSION,
  operations: describeOperations(),
  gatewayErrors: GATEWAY_ERRORS,
  businessErrors: BUSINESS_ERRORS,
  ossErrors: OSS_ERRORS,
});

test.each(Object.keys(pages))('docs/%s is what `npm run docs` writes', (name) => {
  expect(readFileSync(join(__dirname, '..', '..', 'docs', name), 'utf8')).toBe(pages[name]);
});

test('README.md has the settings that `npm run docs` writes', () => {
  const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
  const settings = listSettings({ describeOptions, variableName });
  expect(readme).toBe(renderReadme(readme, settings));
  expect(readme).toContain('`OTA_GATEWAY_CLAIM_TTL`');
});

test.each([
  ['errors.md', [GATEWAY_ERRORS, BUSINESS_ERRORS, OSS_ERRORS].flatMap(Object.keys)],
  ['iot-api.md', describeOperations().flatMap(({ parameters }) => parameters.map((p) => p.name))],
])('%s leaves nothing out', (name, words) => {
  for (const word of words) expect(pages[name]).toContain(`\`${word}\``);
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

  it('names files that are there', () => {
    const named = Array.from(text.matchAll(/`(src\/[^`]+)`/g), ([, path]) => path ?? '');
    expect(named.length).toBeGreaterThan(80);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('names each file once in a walk', () => {
    expect(walks).toHaveLength(4);
    for (const walk of walks) {
      const files = Array.from(walk.matchAll(/`(src\/[^`]+)`/g), ([, path]) => path);
      expect(files).toEqual([...new Set(files)]);
    }
  });
});
