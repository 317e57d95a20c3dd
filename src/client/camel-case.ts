/** @returns a name of the API in the style of the SDKs: `FirmwareId` is `firmwareId` */
function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Renames every member of a response, at every depth, in the style of the SDKs. */
export function camelize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelize);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [lowerFirst(name), camelize(member)]),
  );
}

/** A single value of a parameter. */
export type Scalar = string | number | boolean;

/** A parameter in the style of the SDKs; a list becomes `Name.1.Member`, `Name.2.Member` and so on. */
export type SdkParameter =
  Scalar | undefined | readonly Readonly<Record<string, Scalar | undefined>>[];

/** Renames parameters from the style of the SDKs to the names on the wire; leaves out undefined ones. */
export function wireParameters(
  parameters: Readonly<Record<string, SdkParameter>>,
): Record<string, Scalar> {
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) => flatten(upperFirst(name), value)),
  );
}

function flatten(name: string, value: SdkParameter): [string, Scalar][] {
  if (value === undefined) return [];
  if (typeof value !== 'object') return [[name, value]];
  return value.flatMap((entry, index) =>
    Object.entries(entry).flatMap(([member, each]) =>
      flatten(`${name}.${String(index + 1)}.${upperFirst(member)}`, each),
    ),
  );
}

function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
