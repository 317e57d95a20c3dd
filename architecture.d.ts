/** Each entry of src/ with the entries it may import. */
export declare const mayImport: Readonly<Record<string, readonly string[]>>;
/** What the rule says to an entry that imports something else. */
export declare function importMessage(name: string): string;
export declare const UNKNOWN_ENTRY: string;
