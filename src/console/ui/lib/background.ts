/** Starts something whose own failures are shown where they belong; any other one goes to the log of the browser. */
export function inBackground(work: Promise<unknown>): void {
  work.catch((problem: unknown) => {
    // eslint-disable-next-line no-console
    console.error(problem);
  });
}
