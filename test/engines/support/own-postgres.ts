import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasErrorCode } from '../../../src/lib/errno.ts';

const SCRIPT = join(__dirname, '..', '..', '..', 'scripts', 'postgres.sh');
const run = promisify(execFile);

/** A server that a test may stop. */
export interface OwnPostgres {
  readonly url: string;
  /** Starts it again, at the same address. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Kills it with all of its processes. */
  kill(): Promise<void>;
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

function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH')) throw error;
  }
}

/**
 * Starts a server of its own.
 * @param primary - the server whose standby it is
 */
export async function startOwnPostgres(primary?: OwnPostgres): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-engine-'));
  const env = {
    ...process.env,
    POSTGRES_PORT: String(await findFreePort()),
    ...(primary && { POSTGRES_PRIMARY_PORT: new URL(primary.url).port }),
  };
  const script = async (command: string): Promise<string> =>
    (await run(SCRIPT, [command, folder], { env })).stdout;
  const url = /^POSTGRES_URL=(.*)$/m.exec(await script(primary ? 'standby' : 'start'))?.[1];
  if (url === undefined) throw new Error('postgres.sh printed no address');
  const stop = async (): Promise<void> => {
    await script('stop');
  };
  return {
    ...{ url, stop },
    start: async () => {
      await script('start');
    },
    kill: async () => {
      const [pid = ''] = (await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split(
        '\n',
      );
      const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
      for (const each of [pid, ...children.trim().split(' ')]) killIfRunning(Number(each));
    },
    dispose: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
