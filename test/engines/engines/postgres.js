const { startByScript } = require('./run-script.js');

module.exports = {
  /** Set by whoever runs the tests, this names a server that is running. */
  variable: 'POSTGRES_URL',
  start: () => startByScript('scripts/postgres.sh', 'POSTGRES_PORT'),
};
