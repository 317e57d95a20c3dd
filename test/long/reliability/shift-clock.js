/* Loaded before a program: its wall clock is off by the milliseconds that a file has, and its timers are not. */
const { readFileSync } = require('node:fs');

const file = process.env['CLOCK_OFFSET_FILE'];
const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(file, 'utf8'));

globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }

  static now() {
    return now();
  }
};
