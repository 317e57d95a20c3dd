import type { JSX } from 'preact';

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly name: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly onChoice: (value: T) => void;
}

/** A choice of one of several, with its label. */
export function Choice<T extends string>({
  label,
  name,
  onChoice,
  options,
  value,
}: ChoiceProps<T>): JSX.Element {
  return (
    <label class="field">
      {label}
      <select
        name={name}
        value={value}
        onChange={({ currentTarget }) => {
          const [chosen] = options.find(([each]) => each === currentTarget.value) ?? [];
          if (chosen !== undefined) onChoice(chosen);
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
