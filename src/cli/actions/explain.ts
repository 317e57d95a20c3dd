import { z } from 'zod';
import { wallClock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import { formatSpan } from '../../lib/time-span.ts';
import { formatExplained, formatStory } from '../../operator/explain/story-text.ts';
import { readReference } from '../../operator/references.ts';
import type { JudgedShape, RefusalShape } from '../../operator/shapes.ts';
import { judgedShape } from '../../operator/shapes.ts';
import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import { openQueries } from '../../data-folder/open.ts';
import { CommandError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { EXIT } from '../exit-codes.ts';
import { readFieldFlags, readFormFile } from '../form-file.ts';
import { listRefusals } from '../lists.ts';
import type { Operator } from '../operator.ts';
import { callOperatorApi } from '../operator-api.ts';
import { openOperator, refusalFilterOf } from '../operator.ts';
import type { OutputFlags } from '../output.ts';
import { outputFlags, painter, print, printJson, say } from '../output.ts';
import { counted } from '../people.ts';
import { parseFlags } from '../parse-flags.ts';

const flags = z.looseObject({
  ...outputFlags.shape,
  reason: z.enum(REFUSAL_REASONS).optional(),
  form: z.string().optional(),
  policy: z.string().optional(),
  signature: z.string().optional(),
  field: z.array(z.string()).optional(),
});

/** Tells why requests were refused, or judges a form. The exit code says whether the form would be refused. */
export async function explain(name: string | undefined, given: unknown): Promise<void> {
  const { color, field, form, json, policy, reason, signature, ...rest } = parseFlags(flags, given);
  const output = { color, json };
  const fields = await readForm({ form, policy, signature, field });
  if (fields !== undefined) {
    showJudged(await judge(openDesk(rest), fields, name), output);
    return;
  }
  await using operator = await openOperator(openDesk(rest));
  if (name !== undefined) await explainOne(operator, name, output);
  else if (reason !== undefined) (await listRefusals(operator, { reason })).show(output);
  else await explainAll(operator, output);
}

interface FormFlags {
  readonly form: string | undefined;
  readonly policy: string | undefined;
  readonly signature: string | undefined;
  readonly field: readonly string[] | undefined;
}

/** @returns undefined when no form is given */
async function readForm(given: FormFlags): Promise<Record<string, string> | undefined> {
  const { field = [], form, policy, signature } = given;
  if (field.length === 0 && [form, policy, signature].every((each) => each === undefined)) {
    return undefined;
  }
  return {
    ...(form !== undefined && (await readFormFile(form))),
    ...(policy !== undefined && { policy }),
    ...(signature !== undefined && { Signature: signature }),
    ...readFieldFlags(field),
  };
}

async function judge(
  desk: Desk,
  fields: Record<string, string>,
  name: string | undefined,
): Promise<JudgedShape> {
  const form = { fields, ...(name !== undefined && { requestId: name.toUpperCase() }) };
  const { config, endpoint } = desk;
  if (endpoint !== undefined) {
    const call = { method: 'POST', path: '/explain', body: form } as const;
    return callOperatorApi(desk.clientFor(endpoint), call, judgedShape);
  }
  await using folder = await openQueries(config);
  const judged = await folder.refusals.explainForm(folder.viewer, form);
  if (judged !== undefined) return judged;
  throw unknownRequest(name ?? '');
}

function showJudged(judged: JudgedShape, output: OutputFlags): void {
  if (output.json) printJson(judged);
  else print(formatStory(judged.story, '', painter(output)));
  if (!judged.accepted) process.exitCode = EXIT.findings;
}

function unknownRequest(name: string): CommandError {
  return new CommandError(
    'NotFound',
    `no refused request has the id or the key ${quoted(name)}`,
    'Those of the IoT API and of OSS are kept for OTA_GATEWAY_REFUSAL_RETENTION, and 20 new ones in a second; `ota-gateway ls refusals` lists them. Those of the operator API are only in the log',
  );
}

/** Tells why one request was refused, or lists the refused requests that have named a key. */
async function explainOne(operator: Operator, name: string, output: OutputFlags): Promise<void> {
  const { isRequest } = readReference(name);
  const found = isRequest ? await operator.explainRequest(name.toUpperCase()) : undefined;
  if (found !== undefined) {
    if (output.json) printJson(found);
    else print(formatExplained(found, wallClock.now(), painter(output)));
    return;
  }
  const key = isRequest ? undefined : await keyOf(operator, name);
  if (key === undefined) {
    throw unknownRequest(name);
  }
  const page = await operator.listRefusals(refusalFilterOf({ key }));
  if (output.json) {
    printJson(page);
    return;
  }
  for (const { requestId } of [...page.items].reverse()) {
    const each = await operator.explainRequest(requestId);
    if (each !== undefined) print(`${formatExplained(each, wallClock.now(), painter(output))}\n`);
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
