import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import type { ApiClientOptions } from '../../client/api-client.ts';
import { pathSegment } from '../../client/operator-call.ts';
import { keyInPath } from '../../operator/key-in-path.ts';
import { quoted } from '../../lib/quoted.ts';
import type { ReferenceShape } from '../../operator/shapes.ts';
import { packageShape } from '../../operator/package-shapes.ts';
import { uploadHistoryShape } from '../../operator/upload-shapes.ts';
import { CommandError, UsageError, describeError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import { callOperatorApi } from '../operator-api.ts';
import type { Operator } from '../operator.ts';
import { notFound, remoteOperator } from '../operator.ts';
import { jsonFlag, print, printJson, say } from '../output.ts';
import { counted, formatSize } from '../people.ts';
import { parseFlags } from '../parse-flags.ts';
import type { RemoveResult } from '../shapes.ts';

const flags = z.looseObject({ ...jsonFlag.shape, yes: z.boolean().default(false) });

type Named = Exclude<ReferenceShape, { readonly kind: 'request' }>;

/** What a name means, and how a person recognizes it. */
interface Target {
  readonly named: Named;
  readonly text: string;
}

/** Deletes uploads that no package holds, and packages with their files. Looks for all of them before it asks. */
export async function remove(references: readonly string[], given: unknown): Promise<void> {
  const { json, yes, ...rest } = parseFlags(flags, given);
  const desk = openDesk(rest);
  const { url } = await desk.findGateway();
  const api = desk.clientFor(url);
  const operator = remoteOperator(api);
  const done: Target[] = [];
  try {
    const targets: Target[] = [];
    for (const reference of references) targets.push(await findTarget(operator, reference));
    if (!yes && !(await isConfirmed(targets, url))) {
      say('nothing was deleted');
      return;
    }
    for (const target of targets) {
      await removeOne(api, target.named);
      done.push(target);
      if (!json) print(`deleted ${target.text}\n`);
    }
  } catch (error) {
    throw error instanceof UsageError ? error : withDeleted(error, done);
  }
  const result: RemoveResult = { deleted: done.map(({ named }) => named) };
  if (json) printJson(result);
}

/** Adds to an error what was deleted before it. */
function withDeleted(error: unknown, done: readonly Target[]): CommandError {
  const { code, hint, message } = describeError(error);
  const deleted =
    done.length === 0
      ? 'nothing was deleted'
      : `deleted before it: ${done.map(({ text }) => text).join('; ')}`;
  return new CommandError(code, `${message}; ${deleted}`, hint, { cause: error });
}

/** @throws CommandError when nothing has the name */
async function findTarget(operator: Operator, reference: string): Promise<Target> {
  const named = await operator.resolve(reference);
  if (named === undefined || named.kind === 'request') throw notFound(quoted(reference));
  return { named, text: await describe(operator, named) };
}

async function describe(operator: Operator, named: Named): Promise<string> {
  if (named.kind === 'upload') {
    const size = (await operator.showUpload(named.key))?.uploads[0]?.size;
    return `the upload ${quoted(named.key)}${size === undefined ? '' : ` (${formatSize(size)})`}`;
  }
  const { firmwareId } = named;
  const found = await operator.showPackage(firmwareId);
  if (found === undefined) return `the package ${firmwareId} with its files`;
  const { files, name, version } = found;
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const content = `${counted(files.length, 'file')}, ${formatSize(bytes)}`;
  return `the package ${quoted(name)} ${quoted(version)} (${content}), ${firmwareId}`;
}

async function isConfirmed(targets: readonly Target[], url: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const what = targets.map(({ text }) => text).join('; ');
    const message = `--yes: there is no terminal to ask on; this would delete ${what}`;
    throw new UsageError(message, 'Give --yes to delete without asking');
  }
  for (const { text } of targets) say(text);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const these = targets.length === 1 ? 'this' : 'these';
    const answer = await terminal.question(`Delete ${these} at ${url}? [y/N] `);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

async function removeOne(api: ApiClientOptions, named: Named): Promise<void> {
  if (named.kind === 'upload') {
    const path = `/uploads/${pathSegment(keyInPath(named.key))}`;
    await callOperatorApi(api, { method: 'DELETE', path }, uploadHistoryShape);
  } else {
    const path = `/packages/${pathSegment(named.firmwareId)}`;
    await callOperatorApi(api, { method: 'DELETE', path }, packageShape);
  }
}
