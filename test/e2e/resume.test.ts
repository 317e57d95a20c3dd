import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { queryDownloadUrl } from '../../src/client/api-client.ts';
import { eventually } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../support/loop.ts';
import { describeWith } from '../support/programs.ts';
import { gatewayForSuite } from '../support/suite.ts';

const BYTES = patternBytes(20_000_003);

interface Downloader {
  readonly program: string;
  /** Arguments of a slow first try. */
  slowly(url: string, path: string): string[];
  /** Arguments of a second try, which also prints the status of the response. */
  again(url: string, path: string): string[];
  readonly resumed: RegExp;
}

const DOWNLOADERS: readonly Downloader[] = [
  {
    program: 'curl',
    slowly: (url, path) => ['-sS', '--limit-rate', '4M', '-o', path, url],
    again: (url, path) => ['-sS', '-C', '-', '-w', 'status %{http_code}', '-o', path, url],
    resumed: /^status 206$/,
  },
  {
    program: 'wget',
    slowly: (url, path) => ['-q', '--limit-rate=4m', '-O', path, url],
    again: (url, path) => ['-nv', '-S', '-c', '-O', path, url],
    resumed: /^ *HTTP\/1\.1 206 Partial Content$/m,
  },
];

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

describe.each(DOWNLOADERS)('$program', ({ again, program, resumed, slowly }) => {
  describeWith(program, 'resuming a download', () => {
    const gateway = gatewayForSuite();

    it('continues an interrupted download, and has the complete file', async () => {
      const grant = await grantFrom(gateway.url);
      expect(await post(grant, BYTES)).toMatchObject({ status: 200 });
      const firmwareId = await claim(gateway.url, grant, program);
      const url = await queryDownloadUrl(apiOf(gateway.url), { FirmwareId: firmwareId });
      const path = join(gateway.folder, 'firmware.bin');

      const first = spawn(program, slowly(url, path), { stdio: 'ignore' });
      const ended = once(first, 'exit');
      await eventually(async () => (await sizeOf(path)) > 0);
      first.kill('SIGKILL');
      await ended;
      const interruptedAt = await sizeOf(path);
      expect(interruptedAt).toBeGreaterThan(0);
      expect(interruptedAt).toBeLessThan(BYTES.length);

      const second = spawn(program, again(url, path), { stdio: ['ignore', 'pipe', 'pipe'] });
      const output = [text(second.stdout), text(second.stderr)];
      await once(second, 'close');
      expect((await Promise.all(output)).join('')).toMatch(resumed);
      expect(second.exitCode).toBe(0);
      expect((await readFile(path)).equals(BYTES)).toBe(true);
    });
  });
});
