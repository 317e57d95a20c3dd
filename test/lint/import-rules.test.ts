import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

// The fixtures are a source tree of their own, linted by the real eslint.config.js. They say what they expect:
// - `// expect <rule>: <message>` speaks of the next line that is no such comment;
// - below `// and nothing else:`, every import of ours is refused, for the reason in the first line of the file.

interface Finding {
  readonly line: number;
  readonly ruleId: string | null;
  readonly message: string;
}

const root = join(__dirname, '../..');
const fixtures = join(__dirname, 'fixtures');
const files = readdirSync(join(fixtures, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();

function lintFixtures(): Promise<Map<string, Finding[]>> {
  const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
  const config = relative(fixtures, join(root, 'eslint.config.js'));
  const options = { cwd: fixtures, maxBuffer: 64 * 1024 * 1024 };
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
              relative(join(fixtures, 'src'), filePath),
              messages,
            ]),
          ),
        );
      },
    );
  });
}

function expectedFindings(file: string): Finding[] {
  const lines = readFileSync(join(fixtures, 'src', file), 'utf8').split('\n');
  const reason = lines[0]?.slice('// '.length) ?? '';
  const findings: Finding[] = [];
  let pending: Omit<Finding, 'line'>[] = [];
  let nothingElse = false;
  for (const [index, text] of lines.entries()) {
    const [, ruleId, message] = /^ *\/\/ expect (\S+): (.*)$/.exec(text) ?? [];
    if (ruleId !== undefined && message !== undefined) {
      pending.push({ ruleId, message });
      continue;
    }
    findings.push(...pending.map((finding) => ({ line: index + 1, ...finding })));
    pending = [];
    nothingElse = text === '// and nothing else:' || (nothingElse && text !== '');
    const [, path] = /'(\.{1,2}\/[^']+)';$/.exec(text) ?? [];
    if (nothingElse && path !== undefined) {
      findings.push({
        line: index + 1,
        ruleId: 'import-x/no-restricted-paths',
        message: `Unexpected path "${path}" imported in restricted zone. ${reason}`,
      });
    }
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
  let found: Map<string, Finding[]>;

  beforeAll(async () => {
    found = await lintFixtures();
  }, 120_000);

  it.each(files)('report exactly what %s expects', (file) => {
    expect(inOrder(found.get(file) ?? [])).toEqual(inOrder(expectedFindings(file)));
  });

  it('know every part of src/', () => {
    const parts = readdirSync(join(fixtures, 'src'));
    expect(parts).toEqual(expect.arrayContaining(readdirSync(join(root, 'src'))));
  });
});

describe('each fixture of the import rules', () => {
  const parts = readdirSync(join(fixtures, 'src'));

  it.each(parts)('tries src/%s against every other part', (part) => {
    const file = part.endsWith('.ts') ? part : `${part}/imports.ts`;
    const text = readFileSync(join(fixtures, 'src', file), 'utf8');
    const tried = [...text.matchAll(/^(?:import|export \{\} from) '\.{1,2}\/([^/']+)/gm)];
    const others = parts.filter((other) => other !== part);
    expect(tried.map(([, name]) => name).sort()).toEqual(others.sort());
  });
});
