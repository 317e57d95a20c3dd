import { formatAccounts } from '../../../src/cli/accounts-list.ts';
import type { FolderAccountsShape } from '../../../src/operator/account-shapes.ts';

const OFF = { maxBytes: 'off', maxUploads: 'off', maxConcurrent: 'off', maxRate: 'off' } as const;

const LIST: FolderAccountsShape = {
  items: [
    {
      ...{ id: 'ann', operator: true, accessKeys: [{ id: 'ann-key', state: 'active' }] },
      ...{ limits: { ...OFF, maxUploads: 7 }, used: { uploads: 3, bytes: 2048 } },
    },
  ],
  bucket: { limits: OFF, used: { uploads: 4, bytes: 4096 } },
};

it('shows each account with what it uses of its limits', () => {
  const [, line, rest] = formatAccounts(LIST).split('\n');
  expect(line).toMatch(/^ann \(operator\) +ann-key +active +3 of 7 +2\.0 KiB +- +-$/);
  expect(rest).toBe('');
});

it('shows the limits of all accounts together when there are some', () => {
  const bucket = { ...LIST.bucket, limits: { ...OFF, maxUploads: 9, maxRate: 5 } };
  const last = formatAccounts({ ...LIST, bucket })
    .trimEnd()
    .split('\n')
    .at(-1);
  expect(last).toMatch(/^\(all together\) +- +- +4 of 9 +4\.0 KiB +- +at most 5$/);
});
