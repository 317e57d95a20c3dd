import { computed } from '@preact/signals';
import { language } from '../lib/preferences.ts';
import { about } from './en/about.ts';
import { packages } from './en/packages.ts';
import { refusals } from './en/refusals.ts';
import { shell } from './en/shell.ts';
import type { Texts } from './en/shell.ts';
import { signIn } from './en/sign-in.ts';
import { storage } from './en/storage.ts';
import { uploadPanel } from './en/upload-panel.ts';
import { uploads } from './en/uploads.ts';
import * as chineseAbout from './zh/about.ts';
import * as chinesePackages from './zh/packages.ts';
import * as chineseRefusals from './zh/refusals.ts';
import * as chineseShell from './zh/shell.ts';
import * as chineseSignIn from './zh/sign-in.ts';
import * as chineseStorage from './zh/storage.ts';
import * as chineseUploadPanel from './zh/upload-panel.ts';
import * as chineseUploads from './zh/uploads.ts';

const en = { about, packages, refusals, shell, signIn, storage, uploadPanel, uploads };

const zh: Texts<typeof en> = {
  ...chineseAbout,
  ...chinesePackages,
  ...chineseRefusals,
  ...chineseShell,
  ...chineseSignIn,
  ...chineseStorage,
  ...chineseUploadPanel,
  ...chineseUploads,
};

/** Every text of the page, in its language. Components that read it are rendered again when the language changes. */
export const t = computed<Texts<typeof en>>(() => (language.value === 'zh' ? zh : en));
