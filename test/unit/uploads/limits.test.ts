import { LedgerTotals } from '../../../src/uploads/ledger-totals.ts';
import type { LedgerWatcher } from '../../../src/uploads/ledger-changes.ts';
import { UploadLimits } from '../../../src/uploads/limits.ts';

it('refuses one more upload at a limit that uploads of another gateway have reached', async () => {
  const watchers: LedgerWatcher[] = [];
  const ledger = {
    watch: async (watcher: LedgerWatcher) => {
      watchers.push(watcher);
      return () => undefined;
    },
    catchUp: async () => {
      const change = {
        kind: 'uploads',
        from: undefined,
        to: 'issued',
        count: 1,
        bytes: 0,
      } as const;
      for (const watcher of watchers) watcher({ ...change, accountId: 'ann' });
    },
  };
  const limits = new UploadLimits(new LedgerTotals(), ledger, async () => undefined);
  await limits.use({ bucket: {}, of: () => ({ maxUploads: 1 }) });
  await expect(limits.requireUpload('ann')).rejects.toMatchObject({ limit: 'maxUploads' });
});

it('does not forget an upload that is recorded while the ledger is read', async () => {
  const watchers: LedgerWatcher[] = [];
  const readings: ((recorded: number) => void)[] = [];
  const ledger = {
    watch: async (watcher: LedgerWatcher) => {
      watchers.push(watcher);
      return () => undefined;
    },
    catchUp: () =>
      new Promise<void>((resolve) => {
        readings.push((count) => {
          const change = { kind: 'uploads', from: undefined, to: 'issued', bytes: 0 } as const;
          for (const watcher of watchers) watcher({ ...change, accountId: 'ann', count });
          resolve();
        });
      }),
  };
  const limits = new UploadLimits(new LedgerTotals(), ledger, async () => undefined);
  await limits.use({ bucket: {}, of: () => ({ maxUploads: 1 }) });
  const first = limits.admitForm('ann');
  readings.shift()?.(0);
  const end = await first;
  const second = limits.admitForm('ann');
  // It is recorded after the reading, whose result comes later.
  end?.();
  readings.shift()?.(0);
  await Promise.resolve();
  await Promise.resolve();
  readings.shift()?.(1);
  await expect(second).rejects.toMatchObject({ limit: 'maxUploads' });
});
