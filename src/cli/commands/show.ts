import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { completeReferences } from '../complete-references.ts';
import { openDesk, withDesk } from '../desk.ts';
import { describePackage, describeUpload } from '../histories.ts';
import type { Operator } from '../operator.ts';
import { notFound, openOperator } from '../operator.ts';
import type { OutputFlags } from '../output.ts';
import { outputFlags, painter, print, printJson, withOutput } from '../output.ts';
import { parseFlags } from '../setting-flags.ts';
import { quoted } from '../../lib/quoted.ts';

export { completeReferences as complete };

/** Configures `ota-gateway show`. */
export function configure(command: Command): void {
  withOutput(withDesk(command)).action(async (reference: string, given: unknown) => {
    const { color, json, ...rest } = parseFlags(outputFlags.loose(), given);
    await using operator = openOperator(openDesk(rest));
    await show(operator, reference, { color, json });
  });
}

/** Prints everything that is known of one upload or package. */
async function show(operator: Operator, reference: string, output: OutputFlags): Promise<void> {
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
