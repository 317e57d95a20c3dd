'use strict';
const { readdirSync, readFileSync } = require('node:fs');

const CLOCK_TICK = 1e7;

/** @returns the text of a file of /proc; undefined when its process or thread has ended */
function readProc(path) {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

/** @returns nanoseconds of processor time of one thread; 0 when it has ended. The first thread of a process has its id. */
function timeOfThread(pid, thread) {
  const text = readProc(`${pid}/task/${thread}/schedstat`);
  return Number(text?.split(' ')[0] ?? 0);
}

/** @returns nanoseconds of processor time that the running threads of a process have had */
function timeOfProcess(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + timeOfThread(pid, thread), 0);
}

/** @returns nanoseconds of a process without threads, of its children, and of those that have ended */
function timeOfFamily(pid) {
  const own = Number(readProc(`${pid}/schedstat`).split(' ')[0]);
  const children = readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  const running = children.reduce((sum, child) => {
    return sum + Number(readProc(`${child}/schedstat`)?.split(' ')[0] ?? 0);
  }, 0);
  const fields = readProc(`${pid}/stat`).split(') ')[1].split(' ');
  return own + running + (Number(fields[13]) + Number(fields[14])) * CLOCK_TICK;
}

module.exports = { timeOfFamily, timeOfProcess, timeOfThread };
