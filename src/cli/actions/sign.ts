import { z } from 'zod';
import { generateOTAUploadURL } from '../../client/api-client.ts';
import type { UploadGrant } from '../../client/api-client.ts';
import { formFields } from '../../client/post-object.ts';
import { explainingCalls } from '../api-hints.ts';
import { openDesk } from '../desk.ts';
import { print, printJson, say } from '../output.ts';
import { parseFlags } from '../parse-flags.ts';
import type { SignedForm } from '../shapes.ts';
import { shellWord } from '../shell-word.ts';
import { suffixOf } from '../../policy/file-suffix.ts';

const flags = z.looseObject({
  json: z.boolean().default(false),
  curl: z.union([z.string(), z.literal(true)]).optional(),
  suffix: z.string().optional(),
  instanceId: z.string().optional(),
});

/** Prints a signed form: as JSON, or as a command for curl. */
export async function sign(given: unknown): Promise<void> {
  const { curl, instanceId, json, suffix, ...rest } = parseFlags(flags, given);
  const desk = openDesk(rest);
  const { url } = await desk.findGateway();
  const file = typeof curl === 'string' ? curl : 'FILE';
  const grant = await explainingCalls(() =>
    generateOTAUploadURL(desk.clientFor(url), {
      FileSuffix: suffix ?? suffixOf(file),
      IotInstanceId: instanceId,
    }),
  );
  const expiresAt = expiryOf(grant);
  if (curl === undefined || json) {
    const form: SignedForm = {
      host: grant.host,
      fields: Object.fromEntries(formFields(grant)),
      key: grant.key,
      firmwareUrl: grant.firmwareUrl,
      ...(expiresAt !== undefined && { expiresAt }),
    };
    printJson(form);
    return;
  }
  print(`${curlCommand(grant, file)}\n`);
  say(`The form is valid until ${expiresAt ?? 'its policy expires'}. To claim the file:`);
  say(`  ota-gateway claim ${shellWord(grant.key)} --name NAME --version VERSION`);
}

const policyText = z.object({ expiration: z.iso.datetime() });

/** @returns when the policy of a grant expires */
function expiryOf({ policy }: UploadGrant): string | undefined {
  try {
    const text = Buffer.from(policy, 'base64').toString();
    return policyText.parse(JSON.parse(text)).expiration;
  } catch {
    return undefined;
  }
}

function curlCommand(grant: UploadGrant, file: string): string {
  const fields = formFields(grant).map(
    ([name, value]) => `--form-string ${shellWord(`${name}=${value}`)}`,
  );
  return [
    'curl',
    '--fail-with-body',
    ...fields,
    '-F',
    shellWord(`file=@${file}`),
    shellWord(grant.host),
  ].join(' ');
}
