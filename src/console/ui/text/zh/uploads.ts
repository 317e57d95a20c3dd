import type { uploads as english } from '../en/uploads.ts';
import type { Texts } from '../en/shell.ts';

export const uploads: Texts<typeof english> = { title: 'uploads' };
