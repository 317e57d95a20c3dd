const { startByScript } = require('./run-script.js');

module.exports = {
  /** Set by whoever runs the tests, this names a store that is running. */
  variable: 'S3_ENDPOINT',
  start: () => startByScript('scripts/s3-store.sh', 'S3_STORE_PORT'),
};
