import { setImmediate, setTimeout } from '../lib/timers.ts';
import { memberOf, nodeMember } from './node-globals.ts';

/**
 * Checks that no fake timer would let the gateway wait forever.
 * @throws an Error that says how to configure the fake timers
 */
export function checkTimers(): void {
  if (wereFaked) throw new Error(LOADED_TOO_LATE);
  const faked = [
    ...(isFake(memberOf(nodeMember('process'), 'nextTick')) ? ['nextTick'] : []),
    ...(isFake(nodeMember('queueMicrotask')) ? ['queueMicrotask'] : []),
  ];
  if (faked.length > 0) throw new Error(tooMuchFaked(faked));
}

/** Members that fake timers replace, and Node's own streams and `fetch` depend on. */
function tooMuchFaked(names: readonly string[]): string {
  return (
    `Fake timers have replaced ${names.join(' and ')}, on which Node's streams depend, so the gateway would wait ` +
    "forever. Leave them real: sinon.useFakeTimers({ toNotFake: ['nextTick', 'queueMicrotask'] })."
  );
}

const LOADED_TOO_LATE =
  'Fake timers were active when ota-upload-gateway was loaded, so the gateway would wait forever. Load it first: ' +
  'import ota-upload-gateway/testing before the timers are faked.';

/** Those of @sinonjs/fake-timers, which Jest, vitest and Sinon use, have a member `clock`. */
function isFake(timer: unknown): boolean {
  return memberOf(timer, 'clock') !== undefined;
}

/** Those of node:test are bound functions. */
const wereFaked = [setImmediate, setTimeout].some(
  (timer) => isFake(timer) || timer.name.startsWith('bound '),
);
