/*
 * Who may import whom in src/, from the inside to the outside. ESLint reads this table, and so does the test of the
 * lint rules. To add a folder, add it to its layer.
 */

const pure = ['policy', 'signatures'];
const basics = ['lib', 'http', ...pure];
const domain = ['uploads', 'faults'];
const settings = ['config', 'accounts'];
const adapters = ['iot', 'oss', 'object-store', 'ledger', 'jobs', 'ops'];
const rooms = [...basics, ...domain, ...settings, ...adapters, 'client'];
const entryPoints = ['cli', 'testing', 'multer'];

/** Each entry of src/ with the entries it may import. */
const mayImport = {
  lib: [],
  http: ['lib'],
  ...each(pure, ['lib']),
  config: ['lib'],
  ...each(domain, [...domain, 'policy', 'lib']),
  accounts: ['config', 'signatures', 'lib'],
  client: ['signatures', 'lib'],
  ...each(['iot', 'ledger'], [...basics, ...domain, 'accounts']),
  ...each(['oss', 'object-store', 'jobs', 'ops'], [...basics, ...domain]),
  'app.ts': rooms,
  'gateway.ts': ['app.ts', ...rooms],
  'data-folder.ts': rooms,
  ...each(entryPoints, [
    'gateway.ts',
    'data-folder.ts',
    'config',
    'accounts',
    'client',
    'http',
    'lib',
  ]),
  'index.ts': ['app.ts', 'gateway.ts', ...rooms],
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
