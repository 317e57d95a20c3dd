import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import { wallClock } from '../../lib/clock.ts';
import { quoted, visible } from '../../lib/quoted.ts';
import { readReference } from '../../operator/references.ts';
import type { ExplainedShape, RefusalShape } from '../../operator/shapes.ts';
import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import { CommandError } from '../command-error.ts';
import { openDesk, withDesk } from '../desk.ts';
import { listRefusals } from '../lists.ts';
import type { Operator } from '../operator.ts';
import { openOperator, refusalFilterOf } from '../operator.ts';
import type { OutputFlags, Paint } from '../output.ts';
import { outputFlags, painter, print, printJson, say, withOutput } from '../output.ts';
import { counted, formatSpan } from '../people.ts';
import { parseFlags } from '../setting-flags.ts';

const flags = z.looseObject({
  ...outputFlags.shape,
  reason: z.enum(REFUSAL_REASONS).optional(),
});

/** Configures `ota-gateway explain`. */
export function configure(command: Command): void {
  withOutput(withDesk(command))
    .addOption(new Option('--reason <reason>', 'list those for it').choices(REFUSAL_REASONS))
    .action(async (name: string | undefined, given: unknown) => {
      const { color, json, reason, ...rest } = parseFlags(flags, given);
      await using operator = openOperator(openDesk(rest));
      const output = { color, json };
      if (name !== undefined) await explainOne(operator, name, output);
      else if (reason !== undefined) (await listRefusals(operator, { reason })).show(output);
      else await explainAll(operator, output);
    });
}

/** Tells why one request was refused, or lists the refused requests that have named a key. */
async function explainOne(operator: Operator, name: string, output: OutputFlags): Promise<void> {
  const { isRequest } = readReference(name);
  const found = isRequest ? await operator.explainRequest(name.toUpperCase()) : undefined;
  if (found !== undefined) {
    if (output.json) printJson(found);
    else print(tell(found, painter(output)));
    return;
  }
  const key = isRequest ? undefined : await keyOf(operator, name);
  if (key === undefined) {
    throw new CommandError(
      'NotFound',
      `no refused request has the id or the key ${quoted(name)}`,
      'Refusals are kept for OTA_GATEWAY_REFUSAL_RETENTION, and 20 new ones in a second; `ota-gateway ls refusals` lists them',
    );
  }
  const page = await operator.listRefusals(refusalFilterOf({ key }));
  if (output.json) {
    printJson(page);
    return;
  }
  for (const { requestId } of [...page.items].reverse()) {
    const each = await operator.explainRequest(requestId);
    if (each !== undefined) print(`${tell(each, painter(output))}\n`);
  }
  say(
    `${counted(page.items.length, 'refused request')} named it; ota-gateway show tells what became of it`,
  );
}

async function keyOf(operator: Operator, name: string): Promise<string | undefined> {
  const found = await operator.resolve(name);
  if (found?.kind === 'upload') return found.key;
  const [key = name] = readReference(name).keys;
  const { items } = await operator.listRefusals(refusalFilterOf({ key, limit: 1 }));
  return items.length === 0 ? undefined : key;
}

const MARKS = { met: 'met      ', notMet: 'NOT MET  ', info: '' } as const;

function tell({ refusal, story }: ExplainedShape, paint: Paint): string {
  const ago = formatSpan(wallClock.now() - Date.parse(refusal.at));
  const lines = story.lines.flatMap(({ details = [], mark, text }) => [
    `  ${paint(mark === 'notMet' ? 'red' : 'reset', MARKS[mark] + visible(text))}`,
    ...details.map((detail) => `           ${visible(detail)}`),
  ]);
  return [
    paint('bold', `${visible(story.headline)}, ${ago} ago`),
    ...lines,
    `To pass: ${story.toPass}.`,
    '',
  ].join('\n');
}

/** Shows the last refused requests, grouped by reason. */
async function explainAll(operator: Operator, output: OutputFlags): Promise<void> {
  const page = await operator.listRefusals(refusalFilterOf({ limit: 1000 }));
  if (output.json) {
    printJson(page);
    return;
  }
  const groups = new Map<string, RefusalShape[]>();
  for (const refusal of page.items) {
    groups.set(refusal.reason, [...(groups.get(refusal.reason) ?? []), refusal]);
  }
  for (const [reason, refusals] of groups) {
    const count = refusals.reduce((sum, { repeats }) => sum + 1 + repeats, 0);
    const last = refusals[0];
    if (last === undefined) continue;
    const ago = formatSpan(wallClock.now() - Date.parse(last.at));
    print(
      `${String(count).padStart(6)}  ${reason.padEnd(20)} last ${ago} ago: ${last.requestId}\n`,
    );
  }
  say(`${counted(page.items.length, 'refused request')}; ota-gateway explain REQUEST_ID tells why`);
}
