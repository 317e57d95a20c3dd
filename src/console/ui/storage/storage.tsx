import type { JSX } from 'preact';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';

/** Storage. */
export function Storage({ id }: { readonly id: string }): JSX.Element {
  return <Screen title={t.value.shell.screens.storage}>{id}</Screen>;
}
