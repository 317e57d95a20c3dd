#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { describeOptions } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { SettingsError } from '../config/settings-error.ts';
import { duration } from '../config/units.ts';
import { backup } from './commands/backup.ts';
import { fsck } from './commands/fsck.ts';
import { printPayload } from './commands/payload.ts';
import { serve } from './commands/serve.ts';
import { showConfig } from './commands/show-config.ts';
import { upload } from './commands/upload.ts';
import { printUrls } from './commands/url.ts';
import { flagName, gatherOptions, variableName } from './environment.ts';

/** Exit codes of every command. */
const EXIT = { done: 0, failed: 1, usage: 2, findings: 3 } as const;

const packageFile = z.object({ version: z.string() });

const uploadFlags = z.object({
  name: z.string(),
  version: z.string(),
  endpoint: z.url(),
  dataDir: z.string(),
  suffix: z.string(),
  accessKeyId: z.string().optional(),
  accessKeySecret: z.string().optional(),
  instanceId: z.string().optional(),
  productKey: z.string().optional(),
});

function createProgram(): Command {
  const { version } = packageFile.parse(
    JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')),
  );
  const program = new Command('ota-gateway')
    .description('Signs, receives, keeps and purges OTA uploads as Alibaba Cloud does.')
    .version(version)
    // `upload --version` is the version of the firmware.
    .enablePositionalOptions()
    .exitOverride();
  withSettings(program.command('serve').description('run the gateway')).action(
    (flags: Record<string, unknown>) => serve(gatherOptions(process.env, flags)),
  );
  withSettings(
    program.command('show-config').description('print the effective settings, secrets masked'),
  ).action((flags: Record<string, unknown>) => {
    showConfig(gatherOptions(process.env, flags));
  });
  addUploadCommand(program);
  addDownloadCommands(program);
  addMaintenanceCommands(program);
  return program;
}

/** Adds every setting as a flag; each is also an environment variable. */
function withSettings(command: Command): Command {
  for (const { name, description, default: value, isSwitch } of describeOptions()) {
    const preset = value === undefined ? '' : `; default ${value}`;
    const argument = isSwitch ? '[on|off]' : '<value>';
    const help = `${description} (${variableName(name)}${preset})`;
    command.option(`${flagName(name)} ${argument}`, help);
  }
  return command;
}

function addUploadCommand(program: Command): void {
  const environment = process.env;
  program
    .command('upload <file>')
    .description('upload a file to a running gateway and make a firmware package of it')
    .requiredOption('--name <name>', 'FirmwareName')
    .requiredOption('--version <version>', 'DestVersion')
    .option('--endpoint <url>', 'the gateway', 'http://127.0.0.1:9070')
    .option('--data-dir <folder>', 'where the gateway keeps credentials.json', './storage')
    .option('--suffix <suffix>', 'FileSuffix', 'bin')
    .option(
      '--access-key-id <id>',
      'instead of credentials.json',
      environment['OTA_GATEWAY_ACCESS_KEY_ID'],
    )
    .option(
      '--access-key-secret <secret>',
      'instead of credentials.json',
      environment['OTA_GATEWAY_ACCESS_KEY_SECRET'],
    )
    .option('--instance-id <id>', 'IotInstanceId')
    .option('--product-key <key>', 'ProductKey')
    .action((file: string, flags: unknown) => upload(file, uploadFlags.parse(flags)));
}

const downloadFlags = z.looseObject({ expires: duration });

/** How long the URLs of the platform are valid (IoT Platform, "Perform OTA updates"). */
const DOWNLOAD_TTL = '24h';

/** Adds the commands that read the data folder, also while a server uses it. */
function addDownloadCommands(program: Command): void {
  const commands = [
    ['url <key-or-firmware-id>', 'print a signed URL that downloads an object', printUrls],
    ['payload <firmware-id>', 'print the message that pushes a package to a device', printPayload],
  ] as const;
  for (const [usage, description, run] of commands) {
    withSettings(program.command(usage).description(description))
      .option('--expires <duration>', 'how long a URL is valid', DOWNLOAD_TTL)
      .action((name: string, flags: unknown) => {
        const { expires, ...settings } = downloadFlags.parse(flags);
        return run(name, expires, gatherOptions(process.env, settings));
      });
  }
}

const fsckFlags = z.looseObject({
  deep: z.boolean().default(false),
  repair: z.boolean().default(false),
});

/**
 * Adds the commands that check and copy the data folder, also while a server uses it; only a repair needs it stopped.
 */
function addMaintenanceCommands(program: Command): void {
  withSettings(program.command('fsck').description('compare the ledger with the bodies on disk'))
    .option('--deep', 'read every body and compare its digests')
    .option('--repair', 'repair what can be repaired; the server must be stopped')
    .action(async (flags: unknown) => {
      const { deep, repair, ...settings } = fsckFlags.parse(flags);
      const hasFindings = await fsck({ deep, repair }, gatherOptions(process.env, settings));
      if (hasFindings) process.exitCode = EXIT.findings;
    });
  withSettings(
    program.command('backup <folder>').description('copy the data folder into a new folder'),
  ).action(async (folder: string, flags: Record<string, unknown>) => {
    const hasFindings = await backup(folder, gatherOptions(process.env, flags));
    if (hasFindings) process.exitCode = EXIT.findings;
  });
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof ConfigError || error instanceof z.ZodError) return EXIT.usage;
  return EXIT.failed;
}

function messageOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  if (error instanceof SettingsError) return error.named(variableName).message;
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync(process.argv);
  } catch (error) {
    // Commander has printed its own errors.
    if (!(error instanceof CommanderError)) process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

main().catch((error: unknown) => {
  throw error;
});
