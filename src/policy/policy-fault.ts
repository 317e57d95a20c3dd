/** Leaves the readers of a policy at the first thing that is wrong; never leaves this folder. */
export class PolicyFault extends Error {
  /** OSS's fine-grained error code. */
  readonly ec: string;

  /**
   * @param number - last three digits of the error code, all of which begin with `0006-00000`
   * @param message - without the leading `Invalid Policy: `
   */
  constructor(number: string, message: string) {
    super(message);
    this.ec = `0006-00000${number}`;
  }
}
