/** A setting as people see it. */
export interface SettingRow {
  /** Title of its group. */
  readonly group: string;
  readonly name: string;
  readonly description: string;
  /** The effective default as text. */
  readonly default: string | undefined;
  /** It is on or off. */
  readonly isSwitch: boolean;
  /** The words that it takes; empty when it takes any text. */
  readonly words: readonly string[];
}
