import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

// A write that failed while the next batch was being received caused an unhandled rejection, which ends the process.
// So this test runs the built store in a separate process.
const SCRIPT = `
  const promises = require('node:fs/promises');
  const open = promises.open;
  promises.open = async (...args) => {
    const file = await open(...args);
    if (args[1] === 'wx') {
      file.writev = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
    }
    return file;
  };
  const { DiskObjectStore } = require('./dist/object-store/disk/disk-object-store.js');
  const { ThreadHasher } = require('./dist/object-store/hashing/thread-hasher.js');
  async function* slow() {
    yield Buffer.alloc(1024 * 1024);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    yield Buffer.alloc(1024 * 1024);
  }
  (async () => {
    const store = await DiskObjectStore.open(process.argv[1], new ThreadHasher());
    await store.put('a1', slow()).catch((error) => console.log('refused:', error.code));
    console.log('uncommitted:', (await store.uncommitted()).length);
    await store.close();
  })();
`;

it('fails only the upload, not the process, when the disk becomes full while more bytes are expected', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ota-store-'));
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', SCRIPT, folder], {
    cwd: join(__dirname, '..', '..'),
  });
  expect(stdout).toBe('refused: ENOSPC\nuncommitted: 0\n');
  await rm(folder, { recursive: true });
});
