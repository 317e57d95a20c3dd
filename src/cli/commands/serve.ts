import { accessSync, constants } from 'node:fs';
import { basename, relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/config.ts';
import type { Gateway } from '../../gateway.ts';
import { createGateway } from '../../gateway.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig, variableName } from '../environment.ts';
import { createLogger } from '../output.ts';

/**
 * Makes V8 free the buffers of received bytes at once. When it frees them in the background, it counts them as in use
 * for too long; after some large uploads it then collects all garbage for every 32 MiB received, which takes a fifth of
 * the time of an upload.
 */
const FREE_BUFFERS_AT_ONCE = '--no-concurrent-array-buffer-sweeping';

/** Runs the gateway until SIGTERM or SIGINT. */
export async function serve(options: RawOptions): Promise<void> {
  setFlagsFromString(FREE_BUFFERS_AT_ONCE);
  const config = readConfig(options);
  requireReadable(config, ['tlsCert', 'tlsKey']);
  const logger = createLogger(config.logLevel);
  await using gateway = await createGateway(options, { logger });
  const stopped = awaitSignal();
  process.on('SIGHUP', () => {
    reloadAccounts(gateway, logger);
  });
  const { url } = await gateway.listen();
  gateway.startJobs();
  // Standard output is for the JSON logs, unless it is a terminal.
  const print = (text: string): void => {
    (process.stdout.isTTY ? process.stdout : process.stderr).write(`${text}\n`);
  };
  print(`listening on ${url}`);
  if (config.testMode)
    print(`test mode is on: every client that reaches ${url}/_gateway/test can move the clock`);
  print(usageHint(url, gateway));
  await stopped;
}

/** @throws ConfigError that names each setting whose file cannot be read */
function requireReadable(config: Config, names: readonly ('tlsCert' | 'tlsKey')[]): void {
  const problems = names.flatMap((name) => {
    const path = config[name];
    try {
      if (path !== undefined) accessSync(path, constants.R_OK);
      return [];
    } catch (error) {
      return [`${variableName(name)}: cannot be read: ${String(error)}`];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

function usageHint(url: string, gateway: Gateway): string {
  const { dataDir } = gateway.config;
  const flags = [
    ...(url === 'http://127.0.0.1:9070' ? [] : [`--endpoint ${url}`]),
    ...(dataDir === './storage' ? [] : [`--data-dir ${dataDir}`]),
  ];
  const upload = [programName(), 'upload', 'README.md', '--name demo', '--version 1.0.0', ...flags];
  const credentials =
    gateway.credentialsFile === undefined
      ? []
      : [`The access keys are in ${gateway.credentialsFile}`];
  return [...credentials, `Try it in another terminal:  ${upload.join(' ')}`].join('\n');
}

function programName(): string {
  const script = process.argv[1] ?? '';
  return basename(script) === 'main.js'
    ? `node ${relative(process.cwd(), script)}`
    : basename(script);
}

function reloadAccounts(gateway: Gateway, logger: Logger): void {
  if (gateway.config.accountsFile === undefined) {
    logger.warn({}, 'there is no accounts file to read again');
    return;
  }
  try {
    gateway.reloadAccounts();
    logger.info({}, 'read the accounts file again');
  } catch (error) {
    logger.error({ err: error }, 'the accounts file cannot be used; the old accounts stay');
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function awaitSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      resolve();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.on(signal, () => process.exit(1));
      }
    };
    process.once('SIGTERM', stop).once('SIGINT', stop);
  });
}
