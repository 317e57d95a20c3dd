import type { JSX } from 'preact';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';

/** Refusals. */
export function Refusals({ id }: { readonly id: string }): JSX.Element {
  return <Screen title={t.value.shell.screens.refusals}>{id}</Screen>;
}
