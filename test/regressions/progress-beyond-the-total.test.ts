import { PassThrough } from 'node:stream';
import { progressBar } from '../../src/cli/progress-bar.ts';

// fsck beside a busy server read more bytes than it had counted, and the progress bar threw `Invalid count value: -1`.
it('shows a full bar when more bytes are read than were announced', () => {
  const output = Object.assign(new PassThrough(), { isTTY: false });
  progressBar(output, 'read', 1024).update(1100);
  expect(String(output.read())).toBe(
    'read [##############################] 100 %  1.1 KiB of 1.0 KiB\n',
  );
});
