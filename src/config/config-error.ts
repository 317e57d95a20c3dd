const BRAND = Symbol.for('ota-upload-gateway.ConfigError');

/** All that is wrong with a configuration, one problem a line. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** An error of another copy of this module is one, too: test runners that reset modules load the kit again. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== ConfigError) return super[Symbol.hasInstance](value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}
