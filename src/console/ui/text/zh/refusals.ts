import type { refusals as english } from '../en/refusals.ts';
import type { Texts } from '../en/shell.ts';

export const refusals: Texts<typeof english> = { title: 'refusals' };
