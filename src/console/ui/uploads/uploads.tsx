import type { JSX } from 'preact';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';

/** Uploads. */
export function Uploads({ id }: { readonly id: string }): JSX.Element {
  return <Screen title={t.value.shell.screens.uploads}>{id}</Screen>;
}
