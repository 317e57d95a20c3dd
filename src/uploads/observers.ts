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
    issued: (grant) => {
      notify('issued', (observer) => observer.issued?.(grant));
    },
    stored: (key, object, issue) => {
      notify('stored', (observer) => observer.stored?.(key, object, issue));
    },
    finished: (milliseconds) => {
      notify('finished', (observer) => observer.finished?.(milliseconds));
    },
    claimed: (firmwarePackage, storedAt) => {
      notify('claimed', (observer) => observer.claimed?.(firmwarePackage, storedAt));
    },
    modified: (packageId) => {
      notify('modified', (observer) => observer.modified?.(packageId));
    },
    packageDeleted: (firmwarePackage) => {
      notify('packageDeleted', (observer) => observer.packageDeleted?.(firmwarePackage));
    },
    deleted: (key) => {
      notify('deleted', (observer) => observer.deleted?.(key));
    },
    purged: (body) => {
      notify('purged', (observer) => observer.purged?.(body));
    },
    purgeRan: (run) => {
      notify('purgeRan', (observer) => observer.purgeRan?.(run));
    },
    dated: (milliseconds) => {
      notify('dated', (observer) => observer.dated?.(milliseconds));
    },
  };
}
