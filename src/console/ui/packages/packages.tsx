import type { JSX } from 'preact';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';

/** Packages. */
export function Packages({ id }: { readonly id: string }): JSX.Element {
  return <Screen title={t.value.shell.screens.packages}>{id}</Screen>;
}
