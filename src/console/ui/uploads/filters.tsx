import type { JSX } from 'preact';
import { route, setQuery } from '../lib/route.ts';
import { QueryField } from '../parts/query-field.tsx';
import { session } from '../session.ts';
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
  const state = route.value.query.get('state') ?? '';
  return (
    <form
      class="row"
      role="search"
      aria-label={texts.filter}
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <label class="field">
        {texts.state}
        <select
          name="state"
          value={state}
          onChange={({ currentTarget }) => {
            setQuery({ state: currentTarget.value });
          }}
        >
          <option value="">{texts.anyState}</option>
          {UPLOAD_STATES.map((each) => (
            <option key={each} value={each}>
              {shell.states[each]}
            </option>
          ))}
        </select>
      </label>
      <QueryField name="q" label={texts.search} />
      {session.value?.account.operator === true && (
        <QueryField name="account" label={texts.account} />
      )}
    </form>
  );
}
