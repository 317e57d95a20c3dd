import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskObjectStore } from '../../src/object-store/disk/disk-object-store.ts';
import { DiskInventory } from '../../src/object-store/disk/inventory.ts';
import { ThreadHasher } from '../../src/object-store/hashing/thread-hasher.ts';
import type { BodyInventory } from '../../src/uploads/maintenance/ports.ts';
import type { ObjectStore } from '../../src/uploads/ports.ts';

/** A store in a folder of its own. */
export interface OpenDisk {
  readonly folder: string;
  readonly store: DiskObjectStore;
  readonly inventory: BodyInventory;
  /** Opens the same folder again, as after a crash. */
  reopen(): Promise<ObjectStore>;
  dispose(): Promise<void>;
}

export async function openDisk(): Promise<OpenDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-store-'));
  const opened: DiskObjectStore[] = [];
  const open = async (): Promise<DiskObjectStore> => {
    const store = await DiskObjectStore.open(folder, new ThreadHasher());
    opened.push(store);
    return store;
  };
  const store = await open();
  const inventory = new DiskInventory(folder, new ThreadHasher());
  return {
    ...{ folder, store, inventory },
    reopen: open,
    dispose: async () => {
      await Promise.all([...opened, inventory].map((one) => one.close()));
      await rm(folder, { recursive: true });
    },
  };
}
