import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiClientOptions } from '../../client/api-client.ts';
import { pathSegment } from '../../client/operator-call.ts';
import { quoted } from '../../lib/quoted.ts';
import type { ReferenceShape } from '../../operator/shapes.ts';
import { packageShape, uploadHistoryShape } from '../../operator/shapes.ts';
import { UsageError } from '../command-error.ts';
import { completeReferences } from '../complete-references.ts';
import { openDesk, withDesk } from '../desk.ts';
import { callOperatorApi } from '../operator-api.ts';
import { notFound, remoteOperator } from '../operator.ts';
import { jsonFlag, print, printJson, say, withJson } from '../output.ts';
import { counted } from '../people.ts';
import { parseFlags } from '../setting-flags.ts';
import type { RemoveResult } from '../shapes.ts';

export { completeReferences as complete };

const flags = z.looseObject({ ...jsonFlag.shape, yes: z.boolean().default(false) });

/** Configures `ota-gateway rm`. */
export function configure(command: Command): void {
  withJson(withDesk(command))
    .option('--yes', 'do not ask; must be given when no terminal can be asked')
    .action(async (references: string[], given: unknown) => {
      await remove(references, parseFlags(flags, given));
    });
}

type Named = Exclude<ReferenceShape, { readonly kind: 'request' }>;

/** Deletes uploads that no package holds, and packages with their files. Looks for all of them before it asks. */
async function remove(
  references: readonly string[],
  { json, yes, ...rest }: z.infer<typeof flags>,
): Promise<void> {
  const desk = openDesk(rest);
  const { url } = await desk.findGateway();
  const api = desk.clientFor(url);
  const operator = remoteOperator(api);
  const named: Named[] = [];
  for (const reference of references) {
    const found = await operator.resolve(reference);
    if (found === undefined || found.kind === 'request') throw notFound(quoted(reference));
    named.push(found);
  }
  if (!yes && !(await isConfirmed(named, url))) {
    say('nothing was deleted');
    return;
  }
  for (const each of named) {
    await removeOne(api, each);
    if (!json) print(`deleted ${describe(each)}\n`);
  }
  const result: RemoveResult = { deleted: named };
  if (json) printJson(result);
}

function describe(named: Named): string {
  return named.kind === 'upload'
    ? `the upload ${quoted(named.key)}`
    : `the package ${named.firmwareId} with its files`;
}

async function isConfirmed(named: readonly Named[], url: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    const message = `--yes: there is no terminal to ask whether to delete ${counted(named.length, 'thing')}`;
    throw new UsageError(message, 'Give --yes to delete without asking');
  }
  for (const each of named) say(describe(each));
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Delete this at ${url}? [y/N] `);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

async function removeOne(api: ApiClientOptions, named: Named): Promise<void> {
  if (named.kind === 'upload') {
    const path = `/uploads/${pathSegment(named.key)}`;
    await callOperatorApi(api, { method: 'DELETE', path }, uploadHistoryShape);
  } else {
    const path = `/packages/${pathSegment(named.firmwareId)}`;
    await callOperatorApi(api, { method: 'DELETE', path }, packageShape);
  }
}
