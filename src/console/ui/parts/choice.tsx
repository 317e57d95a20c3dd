import type { JSX } from 'preact';

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
