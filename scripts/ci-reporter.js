// A Jest reporter that leaves the counts of a run in the folder that JEST_JSON_OUTPUT_DIR names, for .ci/run.
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

module.exports = class CountReporter {
  onRunComplete(_contexts, results) {
    const folder = process.env.JEST_JSON_OUTPUT_DIR;
    if (!folder) return;
    const counts = {
      passed: results.numPassedTests,
      // A file that does not even load has no tests to count.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(counts));
  }
};
