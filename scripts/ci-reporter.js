// A Jest reporter that writes the counts of a run into the folder JEST_JSON_OUTPUT_DIR, for .ci/run.
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

module.exports = class CountReporter {
  onRunComplete(_contexts, results) {
    const folder = process.env.JEST_JSON_OUTPUT_DIR;
    if (!folder) return;
    const counts = {
      passed: results.numPassedTests,
      // A file that fails to load has no tests, so it counts as one failure.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(counts));
  }
};
