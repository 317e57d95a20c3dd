import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { route, setQuery } from '../lib/route.ts';
import { TextField } from '../parts/field.tsx';
import { session } from '../session.ts';
import { t } from '../text/text.ts';

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly onChoice: (value: string) => void;
}

/** A choice of one of several, with its label above it. */
export function Choice({ label, name, onChoice, options, value }: ChoiceProps): JSX.Element {
  return (
    <label class="field">
      {label}
      <select
        name={name}
        value={value}
        onChange={({ currentTarget }) => {
          onChoice(currentTarget.value);
        }}
      >
        {options.map(([each, text]) => (
          <option key={each} value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A field of the query of the address; it holds when Enter is pressed or the field is left. */
export function FilterField({
  label,
  name,
}: {
  readonly label: string;
  readonly name: 'account' | 'key';
}): JSX.Element {
  const kept = route.value.query.get(name) ?? '';
  const text = useSignal(kept);
  useEffect(() => {
    text.value = kept;
  }, [kept]);
  const apply = (): void => {
    if (text.value.trim() !== kept) setQuery({ [name]: text.value.trim() });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
      onFocusOut={apply}
    >
      <TextField label={label} text={text} name={name} type="search" />
    </form>
  );
}

/** For operators. */
export function AccountField(): JSX.Element | null {
  if (session.value?.account.operator !== true) return null;
  return <FilterField label={t.value.refusals.columns.account} name="account" />;
}
