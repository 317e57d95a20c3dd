/**
 * Sources that test the lint rules, by their path in src/. For a file at the root of src/ they follow its imports.
 * `// expect <rule>: <message>` is a finding in the next line that is not such a comment.
 */
export const RULE_SOURCES: Readonly<Record<string, string>> = {
  'uploads/code.ts': `// expect @typescript-eslint/consistent-type-imports: All imports in the declaration are only used as types. Use \`import type\`.
import { Readable } from 'node:stream';

type State = 'issued' | 'stored';

// expect no-restricted-syntax: Write a union of string literals instead of an enum.
export enum Enumeration {
  Member,
}

// expect no-restricted-syntax: State of a module is shared by every gateway of the process.
export let exported = 1;
// expect no-restricted-syntax: State of a module is shared by every gateway of the process.
let own = 1;
export function count(): number {
  own += 1;
  exported = own;
  return own;
}

// expect @typescript-eslint/explicit-module-boundary-types: Argument 'value' should be typed with a non-any type.
// expect @typescript-eslint/no-explicit-any: Unexpected any. Specify a different type.
export function cast(value: any): State {
  // expect @typescript-eslint/consistent-type-assertions: Do not use any type assertions.
  return value as State;
}

export const constant = { state: 'issued' } as const;

// expect @typescript-eslint/explicit-module-boundary-types: Missing return type on function.
export function first(states: State[]) {
  // expect @typescript-eslint/no-non-null-assertion: Forbidden non-null assertion.
  return states[0]!;
}

export async function work(body: Readable): Promise<void> {
  // expect @typescript-eslint/no-floating-promises: Promises must be awaited, end with a call to .catch, or end with a call to .then with a rejection handler.
  work(body);
  // expect @typescript-eslint/no-floating-promises: Promises must be awaited, end with a call to .catch, or end with a call to .then with a rejection handler.
  void work(body);
  // expect @typescript-eslint/only-throw-error: Expected an error object to be thrown.
  throw { code: 'NotAnError' };
}

export function label(state: State): string {
  // expect @typescript-eslint/switch-exhaustiveness-check: Switch is not exhaustive. Cases not matched: "stored"
  switch (state) {
    case 'issued':
      return 'i';
  }
  return '';
}

// expect complexity: Function 'tangle' has a complexity of 13. Maximum allowed is 12.
export function tangle(a: boolean, b: boolean): boolean {
  const first = (a && b) || (b && a) || (a && b) || b;
  const second = (a && b) || (b && a) || (a && b);
  return first ? second : a;
}
`,
  'uploads/homes.ts': `// expect no-restricted-syntax: Names come from Ids; randomness belongs to lib/ids.ts, and of secrets to accounts/.
// expect no-restricted-syntax: Names come from Ids; randomness belongs to lib/ids.ts, and of secrets to accounts/.
import crypto, { createHash, randomBytes, randomUUID } from 'node:crypto';
// expect no-restricted-syntax: Take settings as arguments; only src/cli reads the environment and the command line.
import { env } from 'node:process';

export const values = [
  createHash('md5'),
  randomBytes(1),
  randomUUID(),
  env,
  // expect no-restricted-syntax: Names come from Ids; randomness belongs to lib/ids.ts, and of secrets to accounts/.
  crypto.randomUUID(),
  // expect no-restricted-syntax: Names come from Ids; randomness belongs to lib/ids.ts, and of secrets to accounts/.
  globalThis.crypto.randomUUID(),
  // expect no-restricted-syntax: Math.random can be guessed and cannot be repeated.
  Math.random(),
  // expect no-restricted-syntax: Take settings as arguments; only src/cli reads the environment and the command line.
  process.env,
  // expect no-restricted-syntax: Take settings as arguments; only src/cli reads the environment and the command line.
  process.argv,
  // expect no-restricted-syntax: Take the time from a Clock; only lib/clock.ts reads the wall clock.
  Date.now(),
  // expect no-restricted-syntax: Take the time from a Clock; only lib/clock.ts reads the wall clock.
  new Date(),
  // expect no-restricted-syntax: Take the time from a Clock; only lib/clock.ts reads the wall clock.
  Date(),
  new Date(0),
  // expect no-restricted-syntax: Import at the top of the file; the import rules must see it.
  import('node:fs'),
];

// expect no-restricted-syntax: Take settings as arguments; only src/cli reads the environment and the command line.
export const { env: environment } = process;
// expect no-console: Unexpected console statement.
console.log('');
`,
  'uploads/packages.ts': `// expect no-restricted-imports: 'express' import is restricted from being used by a pattern. Only src/iot/**, src/oss/**, src/console/*.ts, src/ops/**, src/app.ts may import express.
import 'express';
// expect no-restricted-imports: 'express/lib/router' import is restricted from being used by a pattern. Only src/iot/**, src/oss/**, src/console/*.ts, src/ops/**, src/app.ts may import express.
import type {} from 'express/lib/router';
// expect no-restricted-imports: 'better-sqlite3' import is restricted from being used by a pattern. Only src/ledger/sqlite/**, src/object-store/disk/folder-lock.ts may import better-sqlite3.
import 'better-sqlite3';
// expect no-restricted-imports: 'multer' import is restricted from being used by a pattern. Only src/multer/** may import multer.
import 'multer';
// expect import-x/no-extraneous-dependencies: 'supertest' should be listed in the project's dependencies, not devDependencies.
import 'supertest';
// expect import-x/no-extraneous-dependencies: 'jest' should be listed in the project's dependencies, not devDependencies.
import type {} from 'jest';
import 'zod';
import 'node:fs';
`,
  'uploads/timers.ts': `// expect no-restricted-syntax: Take timers from lib/timers.ts: those of Node may be replaced by fake ones.
import 'node:timers';
// expect no-restricted-syntax: Take timers from lib/timers.ts: those of Node may be replaced by fake ones.
import 'timers/promises';
// expect no-restricted-globals: Unexpected use of 'setImmediate'. Take timers from lib/timers.ts: those of Node may be replaced by fake ones.
setImmediate(() => undefined);
// expect no-restricted-globals: Unexpected use of 'queueMicrotask'. Take timers from lib/timers.ts: those of Node may be replaced by fake ones.
queueMicrotask(() => undefined);
// expect no-restricted-syntax: Take timers from lib/timers.ts: those of Node may be replaced by fake ones.
process.nextTick(() => undefined);
// expect no-restricted-syntax: Take timers from lib/timers.ts: those of Node may be replaced by fake ones.
globalThis.setTimeout(() => undefined, 1);
// expect no-restricted-globals: Unexpected use of 'performance'. Take the time from a Clock; only lib/clock.ts reads the wall clock.
export const now = (): number => performance.now();
`,
  'cli/allowed.ts': `console.log(process.env['HOME'], process.argv);

export const later = (): Promise<object> => import('node:fs');
`,
  'oss/packages.ts': `import 'express';
`,
  'iot/packages.ts': `import 'express';
`,
  'multer/packages.ts': `import 'multer';
`,
  'ledger/sqlite/packages.ts': `import 'better-sqlite3';
// expect no-restricted-imports: 'express' import is restricted from being used by a pattern. Only src/iot/**, src/oss/**, src/console/*.ts, src/ops/**, src/app.ts may import express.
import 'express';
`,
  'ops/packages.ts': `import 'express';
`,
  'app.ts': `import 'express';
`,
  'lib/clock.ts': `export const wallClock = { now: (): number => Date.now() };
`,
  'lib/timers.ts': `import timers from 'node:timers';
export const { setImmediate } = timers;
`,
  'lib/ids.ts': `import { randomUUID } from 'node:crypto';
export const id = (): string => randomUUID();
`,
  'accounts/credentials-file.ts': `import { randomBytes } from 'node:crypto';
export const secret = (): Buffer => randomBytes(20);
`,
  'index.ts': `// expect no-restricted-syntax: index.ts only re-exports, name by name.
export const constant = 1;
// expect no-restricted-syntax: index.ts only re-exports, name by name.
export * from './lib/clock.ts';
`,
};
