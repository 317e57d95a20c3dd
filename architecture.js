/*
 * The rooms of src/, from the inside to the outside, and who may import whom. ESLint reads this table, the test of the lint
 * rules tries it, and docs/architecture.md prints it. To add a folder, add a line.
 */

const basics = ['lib', 'refusals', 'http', 'policy', 'signatures'];
const domain = ['uploads', 'faults'];
const belowApp = [
  ...basics,
  ...domain,
  'config',
  'accounts',
  'client',
  ...['operator', 'iot', 'oss', 'object-store', 'ledger', 'jobs', 'metrics', 'console', 'ops'],
];
const entryPoint = [
  ...['gateway.ts', 'data-folder', 'operator'],
  ...['config', 'accounts', 'client', 'refusals', 'http', 'policy', 'signatures', 'lib'],
];

/** Each entry of src/: what it holds, and the entries it may import. */
const entries = {
  lib: { holds: 'clock, ids, logger, errors of the system', imports: [] },
  policy: { holds: 'the policy language of OSS; pure', imports: ['lib'] },
  signatures: { holds: 'every signature of OSS and of the IoT API; pure', imports: ['lib'] },
  refusals: {
    holds: 'refused requests: reasons, records, and the story of each',
    imports: ['policy', 'signatures', 'lib'],
  },
  http: { holds: 'the listener and what any request needs', imports: ['refusals', 'lib'] },
  config: { holds: 'the settings', imports: ['lib'] },
  uploads: {
    holds: "an upload's life, and the ports to the outside",
    imports: [...domain, 'policy', 'lib'],
  },
  faults: { holds: 'requests that a test lets fail', imports: [...domain, 'policy', 'lib'] },
  accounts: { holds: 'accounts and access keys', imports: ['config', 'signatures', 'lib'] },
  client: {
    holds: 'a client of the gateway, for commands and tests',
    imports: ['signatures', 'lib'],
  },
  iot: { holds: 'the IoT API', imports: [...basics, ...domain, 'accounts'] },
  oss: { holds: 'the OSS host', imports: [...basics, ...domain] },
  'object-store': { holds: 'where bodies are kept', imports: [...basics, ...domain] },
  ledger: {
    holds: 'where uploads and packages are recorded',
    imports: [...basics, ...domain, 'accounts'],
  },
  operator: {
    holds: 'what people and tools ask of a gateway; knows no HTTP, no terminal, no SQL',
    imports: [...basics, ...domain, 'accounts', 'config'],
  },
  metrics: { holds: 'what monitoring reads', imports: [...basics, ...domain] },
  jobs: { holds: 'the cron job that runs the purge', imports: [...basics, ...domain] },
  console: {
    holds:
      'the page for people: sign-in, sessions, its files, and in `ui/` what runs in the browser',
    imports: [...basics, ...domain, 'accounts', 'config', 'operator'],
  },
  ops: {
    holds: '`/_gateway`: health, operator API and test controls',
    imports: [
      ...[...basics, ...domain, 'accounts', 'operator', 'console', 'metrics', 'client', 'multer'],
    ],
  },
  'fault-codes.ts': {
    holds: 'which operations a test can let fail, and how',
    imports: ['faults', 'iot', 'oss'],
  },
  'app.ts': { holds: 'which request goes where', imports: belowApp },
  'observation.ts': {
    holds: 'the composition of what people see of requests: log, refusals',
    imports: belowApp,
  },
  'monitoring.ts': { holds: 'the composition of metrics and readiness', imports: belowApp },
  'running.ts': {
    holds: 'what starts and stops: listeners, jobs',
    imports: ['monitoring.ts', ...belowApp],
  },
  'platform.ts': {
    holds: 'the IoT API and the checks of PostObject as operators use them',
    imports: belowApp,
  },
  'test-settings.ts': {
    holds: 'the settings of the test mode: its clock, its ids',
    imports: belowApp,
  },
  'test-mode.ts': { holds: 'the composition of the test mode', imports: belowApp },
  'gateway-parts.ts': {
    holds: 'parts that replace those of a gateway',
    imports: ['fault-codes.ts', ...belowApp],
  },
  'storage.ts': { holds: 'opens ledger and store as the settings name them', imports: belowApp },
  'open-gateway.ts': {
    holds: 'opens the data folder, and composes what an upload works with',
    imports: [
      'fault-codes.ts',
      'gateway-parts.ts',
      'monitoring.ts',
      'storage.ts',
      'test-settings.ts',
      ...belowApp,
    ],
  },
  'gateway.ts': {
    holds: 'the composition',
    imports: [
      ...[
        'app.ts',
        'fault-codes.ts',
        'gateway-parts.ts',
        'monitoring.ts',
        'open-gateway.ts',
        'observation.ts',
        'running.ts',
      ],
      ...['platform.ts', 'test-mode.ts', ...belowApp],
    ],
  },
  'data-folder': {
    holds: 'a data folder beside its server, for commands: opens, inspects, checks, copies it',
    imports: ['platform.ts', 'storage.ts', ...belowApp],
  },
  'shared-storage.ts': {
    holds: 'what commands do with a ledger and a store that gateways share',
    imports: ['data-folder', 'storage.ts', ...belowApp],
  },
  'cluster-copy.ts': {
    holds: 'copies a data folder into what gateways share, and back',
    imports: ['data-folder', 'storage.ts', ...belowApp],
  },
  cli: {
    holds: 'the commands',
    imports: [...[...entryPoint, 'cluster-copy.ts', 'shared-storage.ts', 'iot']],
  },
  testing: { holds: 'the test kit', imports: entryPoint },
  multer: { holds: 'a storage engine for multer', imports: entryPoint },
  'index.ts': { holds: 'the public exports', imports: ['app.ts', 'gateway.ts', ...belowApp] },
};

/** Each entry of src/ with the entries it may import. */
const mayImport = Object.fromEntries(
  Object.entries(entries).map(([name, { imports }]) => [
    name,
    imports.filter((other) => other !== name),
  ]),
);

/** What the rule says to an entry that imports something else. */
function importMessage(name) {
  const others = mayImport[name];
  return `src/${name} may import ${others.length > 0 ? others.join(', ') : 'nothing of ours'}.`;
}

const UNKNOWN_ENTRY = 'This part of src/ has no place in architecture.js yet.';

module.exports = { UNKNOWN_ENTRY, entries, importMessage, mayImport };
