// All of test/http once more, with PostgreSQL as ledger and a real store: a part of `npm run test:engines`.
const engines = require('./jest.config.js');

/** Files that look at what one machine has, or at what only its own ledger and store do. */
const OF_ONE_MACHINE = [
  // Count the open files of the disk store.
  'test/http/connections.test.ts',
  'test/http/testing/object-faults.test.ts',
  // Replaces a method of the disk store.
  'test/http/oss/post/connections.test.ts',
  // Expects an order of two events that depends on how fast the ledger finds the owner of a key.
  'test/http/operator/events.test.ts',
];

module.exports = {
  ...engines,
  testMatch: ['<rootDir>/test/http/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...OF_ONE_MACHINE.map((file) => `<rootDir>/${file}`)],
  setupFilesAfterEnv: ['<rootDir>/test/engines/support/use-shared-engine.ts'],
};
