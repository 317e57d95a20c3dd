/** How fast something goes on, over the last seconds. */
export class Rate {
  readonly #window: number;
  #points: (readonly [at: number, sent: number])[] = [];

  /** @param window - how far back it looks, in milliseconds */
  constructor(window = 5000) {
    this.#window = window;
  }

  /**
   * @param at - in milliseconds
   * @param sent - bytes up to then
   */
  add(at: number, sent: number): void {
    const since = at - this.#window;
    const recent = this.#points.filter(([time]) => time >= since);
    this.#points = [...recent, [at, sent]];
  }

  /** In bytes per second; undefined until it can be told. */
  get perSecond(): number | undefined {
    const first = this.#points[0];
    const last = this.#points.at(-1);
    if (first === undefined || last === undefined || last[0] - first[0] < 250) return undefined;
    return ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
  }

  /** @returns the milliseconds until all is sent; undefined when it cannot be told */
  left(total: number): number | undefined {
    const speed = this.perSecond;
    const sent = this.#points.at(-1)?.[1];
    if (speed === undefined || sent === undefined || speed <= 0) return undefined;
    return ((total - sent) * 1000) / speed;
  }
}
