import type { Command } from 'commander';
import { ConfigError } from '../../config/config-error.ts';
import { CommandError, describeError } from '../command-error.ts';
import { findGateway } from '../gateway-address.ts';
import { variableName } from '../names.ts';
import { reach } from '../network-failure.ts';
import { below, probe } from '../probe.ts';
import { ENDPOINT_VARIABLE, readVariables } from '../variables.ts';

/*
 * Runs every few seconds in containers, so it loads no library besides the one of the command line. That is why it does
 * not use the schema of the settings.
 */

interface HealthFlags {
  readonly live?: true;
  readonly json?: true;
  readonly endpoint?: string;
  readonly dataDir?: string;
  readonly envFile?: string;
}

/** Configures `ota-gateway health`. */
export function configure(command: Command): void {
  command
    .option('--live', 'ask only whether the process responds, not whether it can write')
    .option('--data-dir <folder>', `the folder of the gateway (${variableName('dataDir')})`)
    .option('--endpoint <url>', `the gateway, instead of a folder (${ENDPOINT_VARIABLE})`)
    .option(
      '--env-file <path>',
      'a file with environment variables, which those of the environment override',
    )
    .option('--json', 'print JSON; errors are JSON on standard error')
    .action((flags: HealthFlags) => health(flags));
}

/** Prints the state of a gateway. @throws CommandError when it is not healthy, or cannot be asked */
async function health(flags: HealthFlags): Promise<void> {
  try {
    await ask(flags);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Docker reserves the exit code 2, which wrong settings have elsewhere.
    const { code, message } = describeError(error);
    throw new CommandError(code, message, undefined, { cause: error });
  }
}

async function ask(flags: HealthFlags): Promise<void> {
  const { url } = await findGateway(whereabouts(flags));
  const path = flags.live === true ? 'live' : 'ready';
  const { json, status } = await reach(url, () => probe(below(url, `/_gateway/health/${path}`)));
  const answer: Partial<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? json : {};
  if (status !== 200 || answer['status'] !== path) throw unhealthy(url, status, answer);
  const text =
    flags.json === true ? JSON.stringify({ url, ...answer }, undefined, 2) : `${path}  ${url}`;
  process.stdout.write(`${text}\n`);
}

function whereabouts({
  dataDir,
  endpoint,
  envFile,
}: HealthFlags): Parameters<typeof findGateway>[0] {
  const variables = readVariables(process.env, envFile);
  const of = (setting: string): string | undefined => variables[variableName(setting)];
  const byVariable = dataDir === undefined ? variables[ENDPOINT_VARIABLE] : undefined;
  const [host = '127.0.0.1', port] = [of('host'), of('port')];
  const scheme = of('tlsCert') === undefined ? 'http' : 'https';
  const address =
    /^\d+$/.test(port ?? '') && port !== '0' ? `${scheme}://${host}:${port ?? ''}` : '';
  return {
    endpoint: requireUrl(endpoint, '--endpoint') ?? requireUrl(byVariable, ENDPOINT_VARIABLE),
    dataDir: dataDir ?? of('dataDir') ?? './storage',
    configured: URL.canParse(address) ? address.replace('//0.0.0.0:', '//127.0.0.1:') : undefined,
    isPublic: true,
  };
}

function requireUrl(endpoint: string | undefined, giver: string): string | undefined {
  if (endpoint === undefined || (/^https?:/.test(endpoint) && URL.canParse(endpoint)))
    return endpoint;
  const message = `${giver}: expected an http or https URL such as http://127.0.0.1:9070, found ${JSON.stringify(endpoint)}`;
  throw new ConfigError([message]);
}

function unhealthy(
  url: string,
  status: number,
  { message, reason }: Partial<Record<string, unknown>>,
): CommandError {
  if (typeof message === 'string') {
    const because = typeof reason === 'string' ? ` (${reason})` : '';
    return new CommandError('NotReady', `${url} is not ready${because}: ${message}`);
  }
  const hint = 'Check that this is the address of a gateway';
  return new CommandError(
    'NotReady',
    `${url} answers with status ${String(status)} and not as a gateway does`,
    hint,
  );
}
