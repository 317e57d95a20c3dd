import type { uploadPanel as english } from '../en/upload-panel.ts';
import type { Texts } from '../en/shell.ts';

export const uploadPanel: Texts<typeof english> = { title: 'upload-panel' };
