import { ConfigError } from '../../config/config-error.ts';
import { formatTable } from '../columns.ts';
import { endpointOf, gatherSettings } from '../desk.ts';
import type { Checkup } from '../doctor/checkup.ts';
import { findFolderState, findRunning, lookAt } from '../doctor/checkup.ts';
import { FOLDER_POINTS } from '../doctor/folder-points.ts';
import { NETWORK_POINTS } from '../doctor/network-points.ts';
import { SETTINGS_POINTS } from '../doctor/settings-points.ts';
import { sharedPoints } from '../doctor/shared-points.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig } from '../environment.ts';
import { EXIT } from '../exit-codes.ts';
import { PREFIX, givenName } from '../names.ts';
import type { OutputFlags, Style } from '../output.ts';
import { outputFlags, painter, print, printJson, say } from '../output.ts';
import { counted } from '../people.ts';
import { parseFlags } from '../parse-flags.ts';
import type { DoctorPoint } from '../shapes.ts';

/** Looks at every point, and prints what was found. The exit code says whether something is wrong. */
export async function doctor(flags: unknown): Promise<void> {
  const { color, json, ...rest } = parseFlags(outputFlags.loose(), flags);
  const points = await examine(rest);
  show(points, { color, json });
  if (points.some(({ level }) => level === 'fail')) process.exitCode = EXIT.findings;
}

async function examine(flags: Readonly<Record<string, unknown>>): Promise<DoctorPoint[]> {
  const checkup = gather(flags);
  const looked = [
    ...[...SETTINGS_POINTS, ...FOLDER_POINTS],
    ...[...sharedPoints(checkup.config), ...NETWORK_POINTS],
  ];
  const points: DoctorPoint[] = [];
  for (const point of looked) points.push(await lookAt(point, checkup));
  return points;
}

function gather(flags: Readonly<Record<string, unknown>>): Checkup {
  const options = gatherSettings(flags);
  const [config, problems] = readLeniently(options);
  const endpoint = endpointOf(flags);
  const folder = findFolderState(config.dataDir);
  const found =
    endpoint === undefined
      ? findRunning(config.dataDir)
      : { running: undefined, unknown: undefined };
  return { config, options, problems, endpoint, folder, ...found };
}

/** @returns the settings, without the wrong ones, and what is wrong with those */
function readLeniently(options: RawOptions): [Checkup['config'], readonly string[]] {
  const problems = problemsOf(options);
  if (problems.length === 0) return [readConfig(options), []];
  const isRight = (name: string): boolean =>
    !problems.some((problem) => problem.split(':', 1)[0]?.split(' and ').includes(nameOf(name)));
  const right = Object.fromEntries(Object.entries(options).filter(([name]) => isRight(name)));
  return [readConfig(problemsOf(right).length === 0 ? right : {}), problems];
}

function nameOf(option: string): string {
  return option.startsWith(PREFIX) ? option : givenName(option);
}

function problemsOf(options: RawOptions): readonly string[] {
  try {
    readConfig(options);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const MARKS: Readonly<Record<DoctorPoint['level'], readonly [string, Style]>> = {
  ok: ['ok', 'green'],
  skip: ['-', 'gray'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
};

function show(points: readonly DoctorPoint[], output: OutputFlags): void {
  if (output.json) {
    printJson({ points });
    return;
  }
  const paint = painter(output);
  const columns = [
    {
      title: 'STATE',
      text: ({ level }: DoctorPoint) => MARKS[level][0],
      paint: (text: string, { level }: DoctorPoint) => paint(MARKS[level][1], text),
    },
    { title: 'POINT', text: ({ name }: DoctorPoint) => name },
    { title: 'FOUND', text: foundText },
  ];
  print(formatTable(columns, points));
  const count = (level: DoctorPoint['level']): number =>
    points.filter((point) => point.level === level).length;
  say(
    `${counted(points.length, 'point')}: ${String(count('fail'))} wrong, ${counted(count('warn'), 'warning')}`,
  );
}

function foundText({ hint, text }: DoctorPoint): string {
  return hint === undefined ? text : `${text}. ${hint}`;
}
