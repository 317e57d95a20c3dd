import type { OpenEngine } from '../../support/engine.ts';
import { useEngine } from '../../support/engine.ts';
import { createSchema, openNode } from './postgres.ts';
import { openTestStore } from './s3-store.ts';

/** What all gateways of one name share. */
interface Shared {
  readonly url: string;
  readonly bodies: Awaited<ReturnType<typeof openTestStore>>;
}

const shared = new Map<string, Promise<Shared>>();
const cleanUps: (() => Promise<void>)[] = [];

async function share(): Promise<Shared> {
  const [{ drop, url }, bodies] = await Promise.all([createSchema(), openTestStore()]);
  cleanUps.push(drop, () => bodies.dispose());
  return { url, bodies };
}

async function open(name: string): Promise<OpenEngine> {
  const opening = shared.get(name) ?? share();
  shared.set(name, opening);
  const { bodies, url } = await opening;
  const { ledger, nonces, refusals, usage } = await openNode(url, { connections: 3 });
  const store = await bodies.reopen();
  return {
    parts: { records: { ledger, nonces, refusals, usage }, store },
    inventory: bodies.inventory,
    close: () => ledger.close(),
  };
}

useEngine({ open });

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});
