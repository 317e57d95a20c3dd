import { hasErrorCode } from './errno.ts';

/** @returns whether a process exists, also one of another user */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}
