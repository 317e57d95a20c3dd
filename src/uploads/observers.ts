import type { Logger } from '../lib/logger.ts';
import type { Observer } from './ports.ts';

/**
 * Combines observers to one that calls them all, in their order. What they are told of has happened, so an error of one
 * is logged: it neither fails the request nor keeps the others from being called.
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
