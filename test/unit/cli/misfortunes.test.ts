import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readFormFile } from '../../../src/cli/form-file.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { folderForSuite } from '../../support/suite.ts';

describe('a command', () => {
  const folder = folderForSuite();

  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** @returns the exit code and what was written to standard error */
  const run = async (...args: string[]): Promise<{ code: number | undefined; stderr: string }> => {
    let stderr = '';
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += String(text);
      return true;
    });
    return { code: await runCommand(args), stderr };
  };

  it('says that the stream has ended when the gateway is killed', async () => {
    const server = createServer((_, response) => {
      response.write(': hello\n\n', () => response.destroy());
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const keys = ['--access-key-id', 'a', '--access-key-secret', 'b'];
    const { code, stderr } = await run('trace', '--json', '--endpoint', url, ...keys);
    server.close();
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'StreamEnded',
        message: `${url} has ended the stream of its requests`,
        hint: 'It was stopped, or this command was too slow',
      },
    });
  });

  it.each([
    [['-f', 'foo'], '-f: foo is not a field'],
    [['--form', '/nosuch'], '--form: /nosuch: there is no such file or folder (ENOENT)'],
    [['--form', '/'], '--form: /: it is a folder (EISDIR)'],
  ])('ends with exit code 2 for a form given as %j', async (args, problem) => {
    const { code, stderr } = await run('explain', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });

  it('reads a form as each of its writers has it', async () => {
    const path = join(folder.path, 'form.json');
    const form = { key: 'k', policy: 'p', OSSAccessKeyId: 'i', Signature: 's' };
    const response = { Key: 'k', Policy: 'p', OSSAccessKeyId: 'i', Signature: 's', Host: 'h' };
    for (const content of [
      form,
      { url: 'u', fields: form, key: 'k' },
      { Success: true, Data: response },
    ]) {
      await writeFile(path, JSON.stringify(content));
      expect(await readFormFile(path)).toEqual(form);
    }
  });
});
