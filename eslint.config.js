const { existsSync } = require('node:fs');
const js = require('@eslint/js');
const { defineConfig, globalIgnores } = require('eslint/config');
const importX = require('eslint-plugin-import-x');
const tseslint = require('typescript-eslint');
const { UNKNOWN_ENTRY, importMessage, mayImport } = require('./architecture.js');

// The zones of `no-restricted-paths` are relative to the working directory; elsewhere they would silently match nothing.
if (!existsSync('src/lib/clock.ts')) {
  throw new Error('Run ESLint in the folder that holds src/.');
}

/* Who may import whom: architecture.js. */

const zones = Object.entries(mayImport).map(([name, allowed]) => ({
  target: `./src/${name}`,
  from: './src',
  except: [name, ...allowed.filter((other) => other !== name)],
  message: importMessage(name),
}));
const known = Object.keys(mayImport).join('|');
zones.push({
  target: [`./src/!(${known})`, `./src/!(${known})/**`],
  from: './src',
  message: UNKNOWN_ENTRY,
});

/* Packages that have one home. */

const homes = {
  express: ['src/iot/**', 'src/oss/**', 'src/console/*.ts', 'src/ops/**', 'src/app.ts'],
  'better-sqlite3': ['src/ledger/sqlite/**', 'src/object-store/disk/folder-lock.ts'],
  multer: ['src/multer/**'],
  pg: ['src/ledger/postgres/**'],
  'prom-client': ['src/metrics/registry.ts'],
  '@aws-sdk/client-s3': [
    'src/object-store/s3/s3-client.ts',
    'src/object-store/s3/sdk-middleware.ts',
  ],
};

function restrictPackages(allowed) {
  const restricted = Object.keys(homes).filter((name) => !allowed.includes(name));
  return {
    'no-restricted-imports': [
      'error',
      {
        patterns: restricted.map((name) => ({
          regex: `^${name}(/|$)`,
          message: `Only ${homes[name].join(', ')} may import ${name}.`,
        })),
      },
    ],
  };
}

/* Things that have one home. */

const randomness = {
  selector: [
    'ImportDeclaration[source.value=/^(node:)?crypto$/] > ImportSpecifier[imported.name=/^random/]',
    'MemberExpression[property.name=/^(random(Bytes|UUID|Int|Fill)|getRandomValues$)/]',
  ].join(', '),
  message: 'Names come from Ids; randomness belongs to lib/ids.ts, and of secrets to accounts/.',
};
const wallClock = {
  selector: [
    'MemberExpression[object.name="Date"][property.name="now"]',
    'NewExpression[callee.name="Date"][arguments.length=0]',
    'CallExpression[callee.name="Date"]',
  ].join(', '),
  message: 'Take the time from a Clock; only lib/clock.ts reads the wall clock.',
};
const environment = {
  selector: [
    'MemberExpression[object.name="process"][property.name=/^(env|argv)$/]',
    'MemberExpression[object.name="process"][property.value=/^(env|argv)$/]',
    'VariableDeclarator[init.name="process"] Property[key.name=/^(env|argv)$/]',
    'ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name=/^(env|argv)$/]',
  ].join(', '),
  message: 'Take settings as arguments; only src/cli reads the environment and the command line.',
};

const mathRandom = {
  selector: 'MemberExpression[object.name="Math"][property.name="random"]',
  message: 'Math.random can be guessed and cannot be repeated.',
};
const enumeration = {
  selector: 'TSEnumDeclaration',
  message: 'Write a union of string literals instead of an enum.',
};
const everywhere = [mathRandom, enumeration];

const topLevelLet = {
  selector: ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration[kind="let"]',
  message: 'State of a module is shared by every gateway of the process.',
};
const dynamicImport = {
  selector: 'ImportExpression',
  message: 'Import at the top of the file; the import rules must see it.',
};
const timers = {
  selector: [
    ':matches(ImportDeclaration, ImportExpression)[source.value=/^(node:)?timers(\\u002Fpromises)?$/]',
    'MemberExpression[object.name=/^(globalThis|global|process)$/][property.name=/^((set|clear)(Immediate|Interval|Timeout)|queueMicrotask|nextTick)$/]',
  ].join(', '),
  message: 'Take timers from lib/timers.ts: those of Node may be replaced by fake ones.',
};
const product = [
  ...[...everywhere, topLevelLet, dynamicImport],
  ...[randomness, wallClock, environment, timers],
];

const timerGlobals = [
  ...['clearImmediate', 'clearInterval', 'clearTimeout', 'queueMicrotask'],
  ...['setImmediate', 'setInterval', 'setTimeout'],
].map((name) => ({ name, message: timers.message }));
const performanceGlobal = { name: 'performance', message: wallClock.message };

const pageMarkup = {
  selector: 'JSXAttribute[name.name=/^(dangerouslySetInnerHTML|style)$/]',
  message: 'The policy of the page allows neither markup from texts nor styles in attributes.',
};

const reexportsOnly = {
  selector: 'Program > :not(ExportNamedDeclaration[source])',
  message: 'index.ts only re-exports, name by name.',
};

function restrictSyntax(restrictions) {
  return { 'no-restricted-syntax': ['error', ...restrictions] };
}

function without(...allowed) {
  return restrictSyntax(product.filter((restriction) => !allowed.includes(restriction)));
}

module.exports = defineConfig(
  globalIgnores(['dist/', 'coverage/', 'storage/', 'examples/', 'test/lint/tree-*/']),
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
    rules: {
      eqeqeq: 'error',
      // Object keys and headers are searched for exactly these.
      'no-control-regex': 'off',
      'no-var': 'error',
      'prefer-const': 'error',
      ...restrictSyntax(everywhere),
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        __dirname: 'readonly',
        Buffer: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        process: 'readonly',
        setTimeout: 'readonly',
        URL: 'readonly',
      },
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: process.cwd() },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      // A synchronous implementation of an asynchronous port must still reject instead of throwing.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        importX.createNodeResolver({
          extensions: ['.ts', '.tsx', '.js'],
          extensionAlias: { '.js': ['.ts', '.js'] },
        }),
      ],
    },
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      complexity: ['error', 12],
      'import-x/no-extraneous-dependencies': [
        'error',
        { devDependencies: false, includeTypes: true },
      ],
      'import-x/no-restricted-paths': ['error', { zones }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-globals': ['error', ...timerGlobals, performanceGlobal],
      ...restrictPackages([]),
      ...without(),
    },
  },
  { files: homes.express, rules: restrictPackages(['express']) },
  { files: homes['better-sqlite3'], rules: restrictPackages(['better-sqlite3']) },
  { files: homes.multer, rules: restrictPackages(['multer']) },
  { files: homes.pg, rules: restrictPackages(['pg']) },
  { files: homes['prom-client'], rules: restrictPackages(['prom-client']) },
  {
    // An optional package: it is loaded only when a store needs it.
    files: homes['@aws-sdk/client-s3'],
    rules: { ...restrictPackages(['@aws-sdk/client-s3']), ...without(dynamicImport) },
  },
  // It loads PostgreSQL and S3 only when a setting names them.
  { files: ['src/storage.ts'], rules: without(dynamicImport) },
  // Data that `npm run docs` writes.
  { files: ['src/config/setting-table.ts'], rules: { 'max-lines': 'off' } },
  { files: ['src/lib/clock.ts'], rules: without(wallClock) },
  { files: ['src/lib/timers.ts'], rules: without(timers) },
  {
    files: ['src/lib/ids.ts', 'src/accounts/access-key.ts', 'src/accounts/credentials-file.ts'],
    rules: without(randomness),
  },
  {
    files: ['src/cli/**'],
    rules: { 'no-console': 'off', ...without(environment, dynamicImport) },
  },
  {
    // The page runs in a browser, and everything that it uses is built into it.
    files: ['src/console/ui/**'],
    rules: {
      'import-x/no-extraneous-dependencies': 'off',
      'no-restricted-globals': 'off',
      ...restrictSyntax([...everywhere, dynamicImport, pageMarkup]),
    },
  },
  // The types of these functions are what makes a table of texts short.
  {
    files: ['src/console/ui/text/en/**'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  { files: ['src/index.ts'], rules: restrictSyntax([...product, reexportsOnly]) },
  {
    files: ['test/**/*.ts'],
    rules: {
      // What Jest and supertest hand out is `any`; a wrong guess fails the test anyway.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // `expect(port.method)` does not call the method.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
