/** Names of the `{...}` in a template. */
export type Placeholder<Template extends string> =
  Template extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;

/** A text for each placeholder of a template. */
export type Values<Template extends string> = Readonly<Record<Placeholder<Template>, string>>;

/** Replaces each `{name}` of a template by its value; a name without a value stays. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** @returns a template as a sentence without values */
export function withoutValues(template: string): string {
  return template.replace(/\s*\{\w+\}/g, '').replace(/[\s:]+$/, '');
}
