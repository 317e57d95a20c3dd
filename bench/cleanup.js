'use strict';

/** Closes what the present row has opened: servers, folders, connections. */
const closers = [];

/** @param close - is called when the present row has ended, also when it fails, and after those that were added later */
function closeLater(close) {
  closers.push(close);
}

async function closeAll() {
  const errors = [];
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}

/** Runs a row, and closes what it has opened. @throws the error of the row, or else the first one of closing */
async function runRow(row, options) {
  const [ended] = await Promise.allSettled([row(options)]);
  const errors = await closeAll();
  if (ended.status === 'rejected') throw ended.reason;
  if (errors.length > 0) throw errors[0];
  return ended.value;
}

module.exports = { closeLater, runRow };
