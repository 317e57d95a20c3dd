// The tests that need real engines: `npm run test:engines`.
const { jest: base } = require('../../package.json');

module.exports = {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/engines/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 60_000,
  globalSetup: '<rootDir>/test/engines/start-engines.js',
  globalTeardown: '<rootDir>/test/engines/stop-engines.js',
};
