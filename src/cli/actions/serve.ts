import { existsSync, watchFile } from 'node:fs';
import { basename, relative } from 'node:path';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../../config/config.ts';
import { SettingsError } from '../../config/settings-error.ts';
import type { Gateway } from '../../gateway.ts';
import { createGateway } from '../../gateway.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { randomIds } from '../../lib/ids.ts';
import type { Logger } from '../../lib/logger.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { givenName } from '../names.ts';
import { createReadyFile } from '../ready-file.ts';
import {
  removeRunningGateway,
  settingsForCommands,
  writeRunningGateway,
} from '../running-gateway.ts';
import type { RunningGateway } from '../running-gateway.ts';
import { createLogger } from '../service-logger.ts';
import { shellWord } from '../shell-word.ts';

/**
 * Makes V8 free the buffers of received bytes at once. When it frees them in the background, it counts them as in use
 * for too long; after some large uploads it then collects all garbage for every 32 MiB received, which takes a fifth of
 * the time of an upload.
 */
const FREE_BUFFERS_AT_ONCE = '--no-concurrent-array-buffer-sweeping';

/** Runs the gateway until SIGTERM or SIGINT, or until its terminal is closed. */
export async function serve(flags: Readonly<Record<string, unknown>>): Promise<void> {
  const options = gatherOptions(process.env, flags);
  setFlagsFromString(FREE_BUFFERS_AT_ONCE);
  const config = readConfig(options);
  const logger = createLogger(config);
  const gatewayId = randomIds.locator();
  await using gateway = await createGateway(options, { logger, gatewayId, measureProcess: true });
  const hasLostTerminal = watchTerminal();
  const stopped = awaitSignal(hasLostTerminal);
  process.on('SIGHUP', () => {
    if (!hasLostTerminal()) reload(gateway, logger);
  });
  const readyFile = createReadyFile(config);
  // It may be left of a process that was killed.
  readyFile.remove();
  const url = await listen(gateway);
  watchAccountsFile(gateway, logger);
  gateway.startJobs();
  leaveAddress(gateway.config, { url, gatewayId }, logger);
  readyFile.write(url);
  logger.info({ url }, 'listening');
  // Standard output is for the JSON logs, unless it is a terminal.
  const output = process.stdout.isTTY ? process.stdout : process.stderr;
  // At once, so that who waits for the first line has all of them.
  output.write(`${startTexts(url, gateway).join('\n')}\n`);
  await stopped;
  logger.info({}, 'stopping');
  readyFile.remove();
  removeRunningGateway(config.dataDir, gatewayId);
  await gateway.close();
  logger.info({}, 'stopped');
}

/** @returns where the gateway is, and what to do with it */
function startTexts(url: string, gateway: Gateway): string[] {
  const { config } = gateway;
  return [
    `listening on ${url}`,
    ...(config.console ? [`console: ${config.publicUrl ?? url}/_gateway/console`] : []),
    ...(config.testMode
      ? [`test mode is on: every client that reaches ${url}/_gateway/test can move the clock`]
      : []),
    usageHint(url, gateway),
  ];
}

/** Writes where commands find this gateway. It also starts on a full disk, where they need `--endpoint`. */
function leaveAddress(
  config: Config,
  address: Pick<RunningGateway, 'url' | 'gatewayId'>,
  logger: Logger,
): void {
  const { dataDir, publicUrl } = config;
  const running = {
    ...address,
    ...(publicUrl !== undefined && { publicUrl }),
    pid: process.pid,
    settings: settingsForCommands(config),
  };
  try {
    writeRunningGateway(dataDir, running);
  } catch (err) {
    logger.warn(
      { err },
      'gateway.json cannot be written: commands find this gateway by --endpoint',
    );
  }
}

/** Listens. @throws an error that names the setting to change */
async function listen(gateway: Gateway): Promise<string> {
  try {
    return (await gateway.listen()).url;
  } catch (error) {
    throw explainListenError(error, gateway.config);
  }
}

function explainListenError(error: unknown, { host, port }: Config): unknown {
  const where = `port ${String(port)} of ${host}`;
  if (hasErrorCode(error, 'EADDRINUSE')) {
    // No wrong value: the same one works when the other process has ended.
    const advice = 'Stop it, or choose another port; 0 picks a free one';
    return new Error(`${givenName('port')}: another process uses ${where}. ${advice}`, {
      cause: error,
    });
  }
  if (hasErrorCode(error, 'EACCES')) {
    const text = `the user of the gateway may not use ${where}. Choose a port above 1023`;
    return new SettingsError([{ settings: ['port'], text }]);
  }
  if (!NO_ADDRESS.some((code) => hasErrorCode(error, code))) return error;
  const text = `${host} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all of them`;
  return new SettingsError([{ settings: ['host'], text }]);
}

const NO_ADDRESS = ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'];

/** A clone has the first one, a folder into which the package was installed only the second one. */
const SAMPLE_FILES = ['README.md', 'package.json'];

function usageHint(url: string, { config, credentialsFile }: Gateway): string {
  const { accountsFile, dataDir } = config;
  const flags = [
    ...(url === 'http://127.0.0.1:9070' ? [] : [`--endpoint ${url}`]),
    ...(dataDir === './storage' ? [] : [`--data-dir ${shellWord(dataDir)}`]),
    ...(accountsFile === undefined ? [] : ['--access-key-id ID --access-key-secret SECRET']),
  ];
  const file = SAMPLE_FILES.find((name) => existsSync(name)) ?? 'FILE';
  const upload = [programName(), 'upload', file, '--name demo', '--version 1.0.0', ...flags];
  const whose = accountsFile === undefined ? 'access keys are' : 'access key of the bucket is';
  const keys = [
    ...(accountsFile === undefined ? [] : [`The accounts are in ${accountsFile}`]),
    ...(credentialsFile === undefined ? [] : [`The ${whose} in ${credentialsFile}`]),
  ];
  return [...keys, `Try it in another terminal:  ${upload.join(' ')}`].join('\n');
}

/** @returns how the user can start this program, as far as it can be seen */
function programName(): string {
  // The name of the command need not be in the path of the shell, nor a package of that name be this one.
  if (process.env['npm_command'] === 'exec') return 'npx ota-upload-gateway';
  const script = process.argv[1] ?? '';
  return basename(script) === 'main.js'
    ? `node ${relative(process.cwd(), script)}`
    : basename(script);
}

/** Reads the files again that may change while the gateway runs. Each of them that cannot be used changes nothing. */
function reload(gateway: Gateway, logger: Logger): void {
  const { config, credentialsFile } = gateway;
  const { accountsFile, tlsCert } = config;
  const hasKeys = accountsFile !== undefined || credentialsFile !== undefined;
  if (!hasKeys && tlsCert === undefined) {
    logger.warn({}, 'there is no accounts file to read again, and no certificate');
  }
  const attempt = (name: string, old: string, read: () => void): void => {
    try {
      read();
      logger.info({}, `read the ${name} again`);
    } catch (error) {
      const err = error instanceof SettingsError ? error.named(givenName) : error;
      logger.error({ err }, `the ${name} cannot be used; ${old}`);
    }
  };
  if (hasKeys) {
    const name = accountsFile === undefined ? 'file of access keys' : 'accounts file';
    attempt(name, 'the old accounts stay', () => {
      gateway.reloadAccounts();
    });
  }
  if (tlsCert !== undefined) {
    attempt('certificate', 'the old one stays', () => {
      gateway.reloadCertificate();
    });
  }
}

const WATCH_INTERVAL_MS = 5000;

/** Where gateways share a ledger, a signal reaches one of them; the file may be the same for all. */
function watchAccountsFile(gateway: Gateway, logger: Logger): void {
  const { accountsFile, ledgerUrl } = gateway.config;
  if (ledgerUrl === undefined || accountsFile === undefined) return;
  watchFile(accountsFile, { interval: WATCH_INTERVAL_MS, persistent: false }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload(gateway, logger);
  });
}

/**
 * A closed terminal sends SIGHUP, which otherwise asks to read files again; afterwards its descriptors are not a terminal
 * any more.
 * @returns a function that tells whether there was a terminal, which has been closed
 */
function watchTerminal(): () => boolean {
  const terminals = [0, 1].filter((descriptor) => isatty(descriptor));
  return () => terminals.length > 0 && !terminals.some((descriptor) => isatty(descriptor));
}

/** Resolves at the first SIGTERM or SIGINT, or a SIGHUP of a closed terminal; a second one of the former ends the process at once. */
function awaitSignal(hasLostTerminal: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      resolve();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.on(signal, () => process.exit(1));
      }
    };
    process.once('SIGTERM', stop).once('SIGINT', stop);
    process.on('SIGHUP', () => {
      if (hasLostTerminal()) resolve();
    });
  });
}
