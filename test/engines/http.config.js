// All of test/http once more, with PostgreSQL as ledger and a real store: a part of `npm run test:engines`.
const engines = require('./jest.config.js');

module.exports = {
  ...engines,
  testMatch: ['<rootDir>/test/http/**/*.test.ts'],
  // It says which tests are left out: see `itOnOneMachine`.
  setupFilesAfterEnv: ['<rootDir>/test/engines/support/use-shared-engine.ts'],
};
