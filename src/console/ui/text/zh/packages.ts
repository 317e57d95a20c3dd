import type { packages as english } from '../en/packages.ts';
import type { Texts } from '../en/shell.ts';

export const packages: Texts<typeof english> = { title: 'packages' };
