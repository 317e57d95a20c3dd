import type { JSX } from 'preact';
import { route, setQuery } from '../lib/route.ts';
import { AccountField } from '../parts/account-field.tsx';
import { Choice } from '../parts/choice.tsx';
import { QueryField } from '../parts/query-field.tsx';
import { t } from '../text/text.ts';
import { UPLOAD_STATES } from '../../../operator/listing.ts';

/** @returns what the address restricts the list to, as the API expects it */
export function filterOf(query: URLSearchParams, isOperator: boolean): URLSearchParams {
  const given = new URLSearchParams();
  const names = isOperator ? ['state', 'q', 'account'] : ['state', 'q'];
  for (const name of names) {
    const value = query.get(name) ?? '';
    if (value !== '') given.set(name, value);
  }
  return given;
}

/** The fields above the list. What they hold is kept in the address. */
export function Filters(): JSX.Element {
  const { shell, uploads: texts } = t.value;
  return (
    <form
      class="row"
      role="search"
      aria-label={texts.filter}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <Choice
        label={texts.state}
        name="state"
        value={route.value.query.get('state') ?? ''}
        options={[
          ['', texts.anyState],
          ...UPLOAD_STATES.map((each) => [each, shell.states[each]] as const),
        ]}
        onChoice={(state) => {
          setQuery({ state });
        }}
      />
      <QueryField name="q" label={texts.search} />
      <AccountField />
    </form>
  );
}
