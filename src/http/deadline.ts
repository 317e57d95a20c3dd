/**
 * Lets work go on for a time at the most.
 *
 * It holds its timer and its signal itself: Node may collect what `AbortSignal.any` makes of an `AbortSignal.timeout`,
 * and then nothing ever aborts (nodejs/node#57736).
 *
 * @param milliseconds - when `work` is told to give up
 * @param outer - tells it so earlier
 * @param work - gives up when its signal says so
 */
export async function withDeadline<Result>(
  milliseconds: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const own = new AbortController();
  const giveUp = (): void => {
    own.abort();
  };
  if (outer.aborted) giveUp();
  const timer = setTimeout(giveUp, milliseconds);
  outer.addEventListener('abort', giveUp, { once: true });
  try {
    return await work(own.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', giveUp);
  }
}
