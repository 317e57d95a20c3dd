import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** @returns whether a process is running; false for a zombie */
export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${String(pid)}`) && readStatus(pid, 'VmRSS') > 0;
}

/** @returns how many descriptors a process has open */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${String(pid)}/fd`).length;
}

/** @returns how much memory a process uses, in bytes */
export function residentBytes(pid: number): number {
  return readStatus(pid, 'VmRSS');
}

/** @returns the maximum memory that a process has used, in bytes */
export function peakBytes(pid: number): number {
  return readStatus(pid, 'VmHWM');
}

/** Clock ticks per second in the kernel's statistics of a process. */
const TICKS = 100;

/** @returns how much processor time a process has used so far, in milliseconds */
export function processorMs(pid: number): number {
  // The second field, the command, may have spaces.
  const [, fields = ''] = readFileSync(`/proc/${String(pid)}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return (((user ?? 0) + (system ?? 0)) * 1000) / TICKS;
}

/** @returns how long the main thread of a process was ready to run and had no processor so far, in milliseconds */
export function starvedMs(pid: number): number {
  const [, waited = ''] = readFileSync(`/proc/${String(pid)}/schedstat`, 'utf8').split(' ');
  return Number(waited) / 1e6;
}

function readStatus(pid: number, field: string): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}
