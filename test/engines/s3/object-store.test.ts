import { describeBodyInventory } from '../../contract/body-inventory-contract.ts';
import { describeObjectStore } from '../../contract/object-store-contract.ts';
import { openTestStore } from '../support/s3-store.ts';

describeObjectStore('an S3-compatible store', () => openTestStore());
describeBodyInventory('an S3-compatible store', () => openTestStore());
