import type { about as english } from '../en/about.ts';
import type { Texts } from '../en/shell.ts';

export const about: Texts<typeof english> = { title: 'about' };
