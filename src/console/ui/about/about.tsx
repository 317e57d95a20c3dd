import type { JSX } from 'preact';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';

/** About. */
export function About({ id }: { readonly id: string }): JSX.Element {
  return <Screen title={t.value.shell.screens.about}>{id}</Screen>;
}
