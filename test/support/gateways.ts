import { join } from 'node:path';
import type { GatewayOptions } from '../../src/config/config.ts';
import { size } from '../../src/config/units.ts';
import type { GatewayParts } from '../../src/gateway-parts.ts';
import { createGateway as create, createMemoryRecords } from '../../src/gateway.ts';
import type { Gateway, Records } from '../../src/gateway.ts';
import { DiskInventory } from '../../src/object-store/disk/inventory.ts';
import { ThreadHasher } from '../../src/object-store/hashing/thread-hasher.ts';
import { startTestGateway as start } from '../../src/testing/index.ts';
import type { TestGateway, TestGatewayOptions } from '../../src/testing/index.ts';
import type { BodyInventory } from '../../src/uploads/maintenance/ports.ts';
import { engineUnderTest } from './engine.ts';
import type { OpenEngine } from './engine.ts';
import { countOpenFiles } from './file-handles.ts';

/*
 * Every gateway of test/http is started here, so that the same tests can run on another ledger and another store: see
 * `useEngine`.
 */

/** A gateway of the test kit, and what its store has. */
export interface EngineGateway extends TestGateway {
  readonly inventory: BodyInventory;
  /** @returns how many bodies it reads at this moment */
  openBodies(): number;
}

let opened = 0;

/** @returns a name that no other gateway has */
function newName(): string {
  opened += 1;
  return `new-${String(process.pid)}-${String(opened)}`;
}

function openFor(name: string, minFree?: string | number): Promise<OpenEngine> {
  // What is not a size is refused by the gateway.
  return engineUnderTest().open(name, size.safeParse(minFree).data ?? 0);
}

/** Does what the function of the test kit does, on the engine under test. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<EngineGateway> {
  const engine = await openFor(newName(), options.minFree);
  const parts = { ...engine.parts, ...options.parts };
  const gateway = await closingOnFailure(engine, start({ ...options, parts }));
  const inventory = engine.inventory ?? inventoryOf(gateway.dataDir);
  const close = async (): Promise<void> => {
    await gateway.close();
    await inventory.close();
    await engine.close();
  };
  const openBodies = (): number => countOpenBodies(engine, gateway.dataDir);
  return { ...gateway, inventory, openBodies, close, [Symbol.asyncDispose]: close };
}

/** Does what the function of the package does, on the engine under test. The same data folder has the same records. */
export async function createGateway(
  options: GatewayOptions = {},
  parts: GatewayParts = {},
): Promise<Gateway> {
  const engine = await openFor(options.dataDir ?? '', options.minFree);
  const gateway = await closingOnFailure(engine, create(options, { ...engine.parts, ...parts }));
  const close = async (): Promise<void> => {
    await gateway.close();
    await engine.close();
  };
  return { ...gateway, close, [Symbol.asyncDispose]: close };
}

/** Opens new records of the engine under test, for a test that looks into them. The gateway that gets them closes them. */
export async function openRecords(): Promise<Records> {
  const { parts } = await openFor(newName());
  return parts.records ?? createMemoryRecords();
}

/** @returns how many bodies a gateway reads at this moment */
export function countOpenBodies(
  { openBodies }: Pick<OpenEngine, 'openBodies'>,
  dataDir: string,
): number {
  return openBodies?.() ?? countOpenFiles(join(dataDir, 'objects'));
}

async function closingOnFailure<T>(engine: OpenEngine, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function inventoryOf(dataDir: string): BodyInventory {
  return new DiskInventory(dataDir, new ThreadHasher());
}

/** The bodies that a store has: the locators of the complete ones, and how many are coming in. */
export async function bodiesIn(
  inventory: BodyInventory,
): Promise<{ locators: string[]; uncommitted: number }> {
  const locators: string[] = [];
  for await (const { locator, path } of inventory.listFiles()) locators.push(locator ?? path);
  return { locators: locators.sort(), uncommitted: await inventory.countUncommitted() };
}
