import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MAIN } from '../support/built-gateway.ts';
import { describeWith } from '../support/programs.ts';

// The suites of examples/ in other languages, each against a gateway that it starts itself.

jest.setTimeout(120_000);

const run = promisify(execFile);
const jar = (name: string): string => `/usr/share/java/${name}.jar`;
/** Of Debian: other installations of Python lack its packages. */
const PYTHON = '/usr/bin/python3';

const RECIPES = [
  {
    folder: 'python',
    needs: [PYTHON, '/usr/lib/python3/dist-packages/requests/__init__.py'],
    command: [PYTHON, '-B', '-m', 'unittest', '--verbose'],
    passed: /^Ran 3 tests[^]*^OK$/m,
  },
  {
    folder: 'java',
    needs: ['javac', 'java', ...['junit4', 'httpclient', 'httpmime', 'gson'].map(jar)],
    command: ['sh', 'run.sh'],
    passed: /^OK \(3 tests\)$/m,
  },
  {
    folder: 'go',
    needs: ['go'],
    command: ['go', 'test', '-count=1', '-v', './...'],
    passed: /^--- PASS: TestOta [^]*(?:^ {4}--- PASS: TestOta\/.*\s){3}/m,
  },
] as const;

for (const { command, folder, needs, passed } of RECIPES) {
  describeWith(needs, `examples/${folder}`, () => {
    it('passes its three tests', async () => {
      const [program, ...args] = command;
      const { stderr, stdout } = await run(program, args, {
        cwd: join(__dirname, '../../examples', folder),
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          OTA_GATEWAY: `${process.execPath} ${MAIN}`,
        },
      });
      expect(stdout + stderr).toMatch(passed);
    });
  });
}
