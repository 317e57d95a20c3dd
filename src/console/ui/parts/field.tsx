import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';

// The types of Preact know one input for each type.
const INPUTS = {
  text: { type: 'text' },
  password: { type: 'password' },
  search: { type: 'search' },
} as const;

interface TextFieldProps {
  readonly label: string;
  readonly text: Signal<string>;
  readonly name: string;
  readonly type?: keyof typeof INPUTS;
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
}

/** A field for one line of text, with its label above it. */
export function TextField({
  autocomplete = 'off',
  isRequired = false,
  label,
  name,
  text,
  type = 'text',
}: TextFieldProps): JSX.Element {
  return (
    <label class="field">
      {label}
      <input
        {...INPUTS[type]}
        name={name}
        autocomplete={autocomplete}
        autocapitalize="off"
        spellcheck={false}
        required={isRequired}
        value={text.value}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value;
        }}
      />
    </label>
  );
}
