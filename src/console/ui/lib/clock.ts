import { signal } from '@preact/signals';

/** The header with the time by the clock of the gateway, in Unix milliseconds. */
const HEADER = 'x-gateway-time';

const offset = signal(0);
const second = signal(Date.now());
setInterval(() => {
  second.value = Date.now();
}, 1000);

/** The clock of the gateway, as its responses tell it. Deadlines are counted by it, because that of the browser may differ. */
export const gatewayClock = {
  /** The time now, in Unix milliseconds. Components that read it are rendered again each second. */
  get now(): number {
    // The second that has begun may be long past: what has just been stored would be stored in the future.
    return Math.max(second.value, Date.now()) + offset.value;
  },
  /** How far the clock of the gateway is ahead of that of this browser, in milliseconds. */
  get offset(): number {
    return offset.value;
  },
  /** Takes the time of a response. */
  read(headers: Headers): void {
    const sent = Number(headers.get(HEADER) ?? NaN);
    if (!Number.isFinite(sent)) return;
    const difference = sent - Date.now();
    // A smaller difference is the time that the response was on its way.
    if (Math.abs(difference - offset.peek()) > 500) offset.value = difference;
  },
};
