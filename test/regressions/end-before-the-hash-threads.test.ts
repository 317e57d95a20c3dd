import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const HASHER = join(__dirname, '../../dist/object-store/hashing/thread-hasher.js');

// A thread without a job does not keep the process alive. When the last job of a thread ended while the thread was being
// ended, the process could end before the gateway was closed, with exit code 1.
it('waits for the end of its hash threads', async () => {
  const script = `
    const { ThreadHasher } = require(${JSON.stringify(HASHER)});
    const round = async () => {
      const hasher = new ThreadHasher();
      const digests = Array.from({ length: 8 }, () => hasher.sha256(${JSON.stringify(__filename)}));
      Promise.allSettled(digests);
      await digests[0];
      await hasher.close();
    };
    (async () => {
      for (let count = 0; count < 5; count += 1) await round();
      console.log('closed');
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script]);
  expect(stdout).toBe('closed\n');
}, 30_000);
