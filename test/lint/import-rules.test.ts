import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { UNKNOWN_ENTRY, importMessage, mayImport } from '../../architecture.js';
import { RULE_SOURCES } from './rule-sources.ts';

// Generates a source tree and lints it with the real eslint.config.js: each entry of src/ imports every other entry.

interface Finding {
  readonly line: number;
  readonly ruleId: string | null;
  readonly message: string;
}

const root = join(__dirname, '../..');
const UNKNOWN = 'elsewhere';
const entries = [...Object.keys(mayImport), UNKNOWN];

const TSCONFIG = { extends: '../../../tsconfig.json', include: ['src'], exclude: [] };

/** @returns the file with the imports of an entry, which is a file at the root of src/, or a folder */
function importsFile(entry: string): string {
  return entry.endsWith('.ts') ? entry : `${entry}/imports.ts`;
}

function allowedFor(entry: string): readonly string[] {
  return entry === UNKNOWN ? [] : (mayImport[entry] ?? []);
}

/** @returns a source in which an entry imports every other one, with the findings that the rules must report */
function importsOf(entry: string): string {
  const reason = entry === UNKNOWN ? UNKNOWN_ENTRY : importMessage(entry);
  const up = entry.endsWith('.ts') ? './' : '../';
  return entries
    .filter((other) => other !== entry)
    .map((other) => {
      const path = up + importsFile(other);
      const text = entry === 'index.ts' ? `export {} from '${path}';` : `import '${path}';`;
      if (allowedFor(entry).includes(other)) return `${text}\n`;
      const message = `Unexpected path "${path}" imported in restricted zone. ${reason}`;
      return `// expect import-x/no-restricted-paths: ${message}\n${text}\n`;
    })
    .join('');
}

const imports = Object.fromEntries(entries.map((entry) => [importsFile(entry), importsOf(entry)]));
const sources: Record<string, string> = { ...imports };
for (const [file, text] of Object.entries(RULE_SOURCES)) {
  sources[file] = (imports[file] ?? '') + text;
}

function writeTree(): string {
  // In the repository, because packages and the TypeScript configuration are found in parent folders.
  const tree = mkdtempSync(join(__dirname, 'tree-'));
  writeFileSync(join(tree, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  for (const [file, text] of Object.entries(sources)) {
    const path = join(tree, 'src', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return tree;
}

function lint(tree: string): Promise<Map<string, Finding[]>> {
  const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
  const config = relative(tree, join(root, 'eslint.config.js'));
  const options = { cwd: tree, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [eslint, '--config', config, '--format', 'json', 'src'],
      options,
      (error, stdout, stderr) => {
        if (stdout === '') {
          reject(new Error(`ESLint did not run: ${stderr}`, { cause: error }));
          return;
        }
        const results = JSON.parse(stdout) as { filePath: string; messages: Finding[] }[];
        resolve(
          new Map(
            results.map(({ filePath, messages }) => [
              relative(join(tree, 'src'), filePath),
              messages,
            ]),
          ),
        );
      },
    );
  });
}

function expectedFindings(text: string): Finding[] {
  const findings: Finding[] = [];
  let pending: Omit<Finding, 'line'>[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [, ruleId, message] = /^ *\/\/ expect (\S+): (.*)$/.exec(line) ?? [];
    if (ruleId !== undefined && message !== undefined) {
      pending.push({ ruleId, message });
      continue;
    }
    findings.push(...pending.map((finding) => ({ line: index + 1, ...finding })));
    pending = [];
  }
  return findings;
}

function inOrder(findings: readonly Finding[]): Finding[] {
  const order = ({ line, ruleId, message }: Finding): string =>
    `${String(line).padStart(6, '0')} ${String(ruleId)} ${message}`;
  return findings
    .map(({ line, ruleId, message }) => ({ line, ruleId, message }))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

describe('the lint rules', () => {
  let tree: string;
  let found: Map<string, Finding[]>;

  beforeAll(async () => {
    tree = writeTree();
    found = await lint(tree);
  }, 120_000);

  afterAll(() => {
    rmSync(tree, { recursive: true, force: true });
  });

  it.each(Object.keys(sources))('report exactly the expected findings in src/%s', (file) => {
    expect(inOrder(found.get(file) ?? [])).toEqual(inOrder(expectedFindings(sources[file] ?? '')));
  });

  it('know exactly the entries of src/', () => {
    expect(readdirSync(join(root, 'src')).sort()).toEqual(Object.keys(mayImport).sort());
  });
});
