import type { JSX } from 'preact';
import { session } from '../session.ts';
import { t } from '../text/text.ts';
import { QueryField } from './query-field.tsx';

/** Restricts a list to one account; for operators, who see all. */
export function AccountField(): JSX.Element | null {
  if (session.value?.account.operator !== true) return null;
  return <QueryField label={t.value.uploads.account} name="account" />;
}
