/** What an entry of src/ holds, and the entries it may import; those may name itself. */
export interface Entry {
  readonly holds: string;
  readonly imports: readonly string[];
}

export const entries: Readonly<Record<string, Entry>>;
export const mayImport: Readonly<Record<string, readonly string[]>>;
export const UNKNOWN_ENTRY: string;
export function importMessage(name: string): string;
