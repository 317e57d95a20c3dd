import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(__dirname, '..', '..', '..', 'scripts', 'postgres.sh');
const run = promisify(execFile);

/** A server that a test may stop. */
export interface OwnPostgres {
  readonly url: string;
  /** Starts it again, at the same address. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it, and removes what it holds. */
  dispose(): Promise<void>;
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Starts a server of its own. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-engine-'));
  const env = { ...process.env, POSTGRES_PORT: String(await findFreePort()) };
  const script = async (command: string): Promise<string> =>
    (await run(SCRIPT, [command, folder], { env })).stdout;
  const url = /^POSTGRES_URL=(.*)$/m.exec(await script('start'))?.[1];
  if (url === undefined) throw new Error('postgres.sh printed no address');
  const stop = async (): Promise<void> => {
    await script('stop');
  };
  return {
    ...{ url, stop },
    start: async () => {
      await script('start');
    },
    dispose: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
