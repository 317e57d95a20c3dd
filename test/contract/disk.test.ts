import { openDisk } from '../support/disk-store.ts';
import { describeBodyInventory } from './body-inventory-contract.ts';
import { describeObjectStore, describeRememberingStore } from './object-store-contract.ts';

describeObjectStore('a folder on disk', openDisk);
describeRememberingStore('a folder on disk', openDisk);
describeBodyInventory('a folder on disk', openDisk);
