import type { storage as english } from '../en/storage.ts';
import type { Texts } from '../en/shell.ts';

export const storage: Texts<typeof english> = { title: 'storage' };
