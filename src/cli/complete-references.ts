import type { TypedWords } from './verbs.ts';

/** Lists what a command may be given: the newest object keys and firmware packages. */
export async function completeReferences({ flags }: TypedWords): Promise<readonly string[]> {
  const { newestReferences } = await import('./newest-references.ts');
  return newestReferences(flags);
}

/** Lists what can be explained: the newest refused requests, and the object keys that they name. */
export async function completeRefusals({ flags }: TypedWords): Promise<readonly string[]> {
  const { newestRefusals } = await import('./newest-references.ts');
  return newestRefusals(flags);
}
