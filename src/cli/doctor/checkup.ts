import { accessSync, constants } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { describeError } from '../command-error.ts';
import type { RawOptions } from '../environment.ts';
import { readRunningGateway } from '../running-gateway.ts';
import type { RunningGateway } from '../running-gateway.ts';
import type { DoctorPoint } from '../shapes.ts';

/** What the points of `doctor` look at. */
export interface Checkup {
  /** The settings; the defaults in place of those that are wrong. */
  readonly config: Config;
  /** As they were given. */
  readonly options: RawOptions;
  /** What is wrong with them, a line each. */
  readonly problems: readonly string[];
  /** Given by a flag or a variable; undefined when the data folder is meant. */
  readonly endpoint: string | undefined;
  /** What gateway.json says; undefined when there is none that can be read. */
  readonly running: RunningGateway | undefined;
  /** Why it is not known what gateway.json says; undefined when it was read, or does not exist. */
  readonly unknown: string | undefined;
  readonly folder: FolderState;
}

/** Whether the data folder can be looked into: `closed` when this user may not. */
export type FolderState = 'open' | 'absent' | 'closed';

/** @returns whether this user can look into a data folder */
export function findFolderState(dataDir: string): FolderState {
  try {
    accessSync(dataDir, constants.R_OK | constants.X_OK);
    return 'open';
  } catch (error) {
    const isAbsent = hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR');
    return isAbsent ? 'absent' : 'closed';
  }
}

/** Reads gateway.json of a data folder. */
export function findRunning(dataDir: string): Pick<Checkup, 'running' | 'unknown'> {
  try {
    return { running: readRunningGateway(dataDir), unknown: undefined };
  } catch (error) {
    return { running: undefined, unknown: describeError(error).message };
  }
}

/** What a point has found, without its name. */
export type Finding = Omit<DoctorPoint, 'name'>;

/** Something that `doctor` looks at. */
export interface Point {
  readonly name: string;
  readonly look: (checkup: Checkup) => Finding | Promise<Finding>;
}

export function ok(text: string): Finding {
  return { level: 'ok', text };
}

/** Nothing to look at here. */
export function skip(text: string): Finding {
  return { level: 'skip', text };
}

/** For what could not be looked at, which must not count as right. */
export function notKnown(reason: string): Finding {
  return skip(`not known: ${reason}`);
}

/** @param hint - what to do */
export function warn(text: string, hint?: string): Finding {
  return hint === undefined ? { level: 'warn', text } : { level: 'warn', text, hint };
}

/** @param hint - what to do */
export function fail(text: string, hint?: string): Finding {
  return hint === undefined ? { level: 'fail', text } : { level: 'fail', text, hint };
}

/** Looks at a point; what it throws is a failure. */
export async function lookAt({ look, name }: Point, checkup: Checkup): Promise<DoctorPoint> {
  try {
    return { name, ...(await look(checkup)) };
  } catch (error) {
    const { hint, message } = describeError(error);
    return { name, ...fail(message, hint) };
  }
}
