import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { S3ObjectStore } from '../../../src/object-store/s3/s3-object-store.ts';
import type { BodyInventory } from '../../../src/uploads/maintenance/ports.ts';
import type { Body, ByteRange } from '../../../src/uploads/ports.ts';
import { BUCKET_KEY } from '../../support/built-gateway.ts';
import { useEngine } from '../../support/engine.ts';
import type { OpenEngine } from '../../support/engine.ts';
import { createSchema, openNode } from './postgres.ts';
import { openTestStore, storeUrl } from './s3-store.ts';
import type { TestStore } from './s3-store.ts';

/*
 * Lets the gateways of test/http keep their records in PostgreSQL and their bodies in a real store. Each name has a
 * schema and a part of the store of its own.
 */

/** What all gateways of one name share. */
interface Shared {
  readonly url: string;
  readonly bodies: TestStore;
  /** How many gateways are open. */
  gateways: number;
  remove(): Promise<void>;
}

const shared = new Map<string, Promise<Shared>>();
let isEnding = false;

async function share(): Promise<Shared> {
  const [{ drop, url }, bodies] = await Promise.all([createSchema(), openTestStore()]);
  const remove = async (): Promise<void> => {
    await Promise.all([drop(), bodies.dispose()]);
  };
  return { url, bodies, gateways: 0, remove };
}

function find(name: string): Promise<Shared> {
  const found = shared.get(name) ?? share();
  shared.set(name, found);
  return found;
}

async function open(name: string, minFree: number): Promise<OpenEngine> {
  const found = await find(name);
  const { bodies, url } = found;
  const { ledger, nonces, quota, refusals, usage } = await openNode(url, { connections: 3 });
  const { folder, store } = await bodies.openBeside(minFree);
  const reading = countReading(store);
  found.gateways += 1;
  let isClosed = false;
  const closeLedger = ledger.close.bind(ledger);
  ledger.close = async () => {
    await closeLedger();
    if (isClosed) return;
    isClosed = true;
    found.gateways -= 1;
    if (isEnding && found.gateways === 0) await found.remove();
  };
  return {
    parts: { records: { ledger, nonces, quota, refusals, usage }, store },
    inventory: withSpool(bodies.inventory, join(folder, 'spool')),
    openBodies: () => reading.size,
    close: () => ledger.close(),
  };
}

/** @returns the bodies of a store that were opened and are not closed */
function countReading(store: S3ObjectStore): ReadonlySet<Body> {
  const reading = new Set<Body>();
  const open = store.open.bind(store);
  store.open = async (locator: string, range?: ByteRange) => {
    const body = await open(locator, range);
    if (body === undefined) return undefined;
    reading.add(body);
    body.once('close', () => reading.delete(body));
    return body;
  };
  return reading;
}

/** Counts the bodies that are on their way to the store, too. */
function withSpool(inventory: BodyInventory, spool: string): BodyInventory {
  const count = inventory.countUncommitted.bind(inventory);
  inventory.countUncommitted = async () => (await count()) + (await readdir(spool)).length;
  return inventory;
}

useEngine({
  isShared: true,
  storeMethods: S3ObjectStore.prototype,
  open,
  environment: async (name) => {
    const { bodies, url } = await find(name);
    return {
      ...{ OTA_GATEWAY_LEDGER_URL: url, ...storeUrl(bodies.prefix) },
      OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
      OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
    };
  },
});

// Runs before the hooks of the test file, which may close gateways.
afterAll(async () => {
  isEnding = true;
  const unused = (await Promise.all(shared.values())).filter(({ gateways }) => gateways === 0);
  await Promise.all(unused.map(({ remove }) => remove()));
});
