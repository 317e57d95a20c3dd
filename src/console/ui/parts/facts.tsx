import type { ComponentChildren, JSX } from 'preact';

/** A name with its value; without a value it is left out. */
export type Fact = readonly [name: string, value: ComponentChildren];

/** Names with their values, such as the digests of an upload. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
