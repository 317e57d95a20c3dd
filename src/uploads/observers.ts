import type { Logger } from '../lib/logger.ts';
import type { Observer } from './ports.ts';

/**
 * Combines observers into one that calls them all, in their order. An error of an observer is logged: the event has
 * already happened, so the request succeeds, and the other observers are called.
 */
export function combineObservers(
  observers: readonly Observer[],
  logger: Logger,
): Required<Observer> {
  const notify = (event: keyof Observer, call: (observer: Observer) => void): void => {
    for (const observer of observers) {
      try {
        call(observer);
      } catch (error) {
        logger.error({ err: error, event }, 'an observer failed');
      }
    }
  };
  return {
    stored: (key, object) => {
      notify('stored', (observer) => observer.stored?.(key, object));
    },
    claimed: (firmwarePackage) => {
      notify('claimed', (observer) => observer.claimed?.(firmwarePackage));
    },
    purged: (body) => {
      notify('purged', (observer) => observer.purged?.(body));
    },
  };
}
