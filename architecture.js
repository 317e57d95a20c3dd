/*
 * Who may import whom in src/, from the inside to the outside. ESLint reads this table, and so does the test of the
 * lint rules. To add a folder, add it to its layer.
 */

const basics = [
  'clock.ts',
  'http',
  'ids.ts',
  'logger.ts',
  'request-host.ts',
  'shared-run.ts',
  'system-error.ts',
  'xml.ts',
];
const pure = ['policy', 'signatures'];
const domain = ['uploads', 'ports.ts', 'faults'];
const adapters = ['iot', 'oss', 'object-store', 'ledger', 'jobs', 'ops'];
const settings = ['config.ts', 'credentials.ts', 'quantities.ts'];
const keys = ['accounts-file.ts', 'keys.ts'];
const entryPoints = ['cli', 'testing', 'multer'];

const belowGateway = [
  'listener.ts',
  ...keys,
  ...settings,
  'client',
  ...adapters,
  ...domain,
  ...pure,
  ...basics,
];

/** Each entry of src/ with the entries it may import. */
const mayImport = {
  ...each(basics, []),
  http: ['clock.ts', 'logger.ts', 'system-error.ts'],
  ...each(pure, basics),
  ...each(domain, [...domain, 'policy', ...basics]),
  ...each(adapters, [...domain, ...pure, ...basics]),
  client: ['signatures', ...basics],
  ...each(settings, [...settings, ...basics]),
  ...each(keys, [...keys, ...settings, 'iot', 'signatures', ...basics]),
  'listener.ts': basics,
  'app.ts': belowGateway,
  'gateway.ts': ['app.ts', ...belowGateway],
  'offline.ts': [...keys, ...settings, 'ledger', ...domain, 'signatures', ...basics],
  'maintenance.ts': [...settings, 'ledger', 'object-store', ...domain, ...basics],
  ...each(entryPoints, [
    ...['gateway.ts', 'offline.ts', 'maintenance.ts'],
    ...settings,
    'client',
    ...basics,
  ]),
  'index.ts': ['gateway.ts', 'app.ts', ...belowGateway],
};

function each(names, allowed) {
  return Object.fromEntries(names.map((name) => [name, allowed]));
}

/** What the rule says to an entry that imports something else. */
function importMessage(name) {
  const others = mayImport[name].filter((other) => other !== name);
  return `src/${name} may import ${others.length > 0 ? others.join(', ') : 'nothing of ours'}.`;
}

const UNKNOWN_ENTRY = 'This part of src/ has no place in architecture.js yet.';

module.exports = { UNKNOWN_ENTRY, importMessage, mayImport };
