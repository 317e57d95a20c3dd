import { CommandError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import { describePackage, describeUpload } from '../histories.ts';
import type { Operator } from '../operator.ts';
import { notFound, openOperator } from '../operator.ts';
import type { OutputFlags } from '../output.ts';
import { outputFlags, painter, print, printJson } from '../output.ts';
import { parseFlags } from '../parse-flags.ts';
import { quoted } from '../../lib/quoted.ts';

/** Prints everything that is known of one upload or package. */
export async function show(reference: string, given: unknown): Promise<void> {
  const { color, json, ...rest } = parseFlags(outputFlags.loose(), given);
  await using operator = await openOperator(openDesk(rest));
  await showFrom(operator, reference, { color, json });
}

async function showFrom(operator: Operator, reference: string, output: OutputFlags): Promise<void> {
  const found = await operator.resolve(reference);
  const paint = painter(output);
  if (found?.kind === 'upload') {
    const history = await operator.showUpload(found.key);
    if (history === undefined) throw notFound(quoted(reference));
    if (output.json) printJson(history);
    else print(describeUpload(history, paint));
    return;
  }
  if (found?.kind === 'package') {
    const shown = await operator.showPackage(found.firmwareId);
    if (shown === undefined) throw notFound(quoted(reference));
    if (output.json) printJson(shown);
    else print(describePackage(shown, paint));
    return;
  }
  if (found === undefined) throw notFound(quoted(reference));
  throw new CommandError(
    'NotFound',
    `${found.requestId} is the id of a request, which has neither an upload nor a package`,
    'The log of the gateway has a line for each request',
  );
}
