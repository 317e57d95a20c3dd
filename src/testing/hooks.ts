import type { FirmwarePackage, Observer, PurgingBody, StoredObject } from '../gateway.ts';

/** Stops the calls of a hook. */
export type Unsubscribe = () => void;

/** Registers callbacks for events of a gateway. */
export interface Hooks {
  /** Calls `listener` for each file that is stored. @returns a function that stops it */
  onStored(listener: (key: string, object: StoredObject) => void): Unsubscribe;
  /** Calls `listener` for each firmware package that is created. @returns a function that stops it */
  onClaimed(listener: (firmwarePackage: FirmwarePackage) => void): Unsubscribe;
  /** Calls `listener` for each file that was deleted. @returns a function that stops it */
  onPurged(listener: (body: PurgingBody) => void): Unsubscribe;
}

/** The hooks of one gateway, the observer that calls their listeners, and the errors that listeners have thrown. */
export interface CreatedHooks {
  readonly hooks: Hooks;
  readonly observer: Observer;
  readonly failures: unknown[];
}

export function createHooks(): CreatedHooks {
  const stored = new Set<(key: string, object: StoredObject) => void>();
  const claimed = new Set<(firmwarePackage: FirmwarePackage) => void>();
  const purged = new Set<(body: PurgingBody) => void>();
  const failures: unknown[] = [];
  const notify = <T>(listeners: Iterable<T>, call: (listener: T) => void): void => {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  return {
    hooks: {
      onStored: (listener) => subscribe(stored, listener),
      onClaimed: (listener) => subscribe(claimed, listener),
      onPurged: (listener) => subscribe(purged, listener),
    },
    observer: {
      stored: (key, object) => {
        notify(stored, (listener) => listener(key, object));
      },
      claimed: (firmwarePackage) => {
        notify(claimed, (listener) => listener(firmwarePackage));
      },
      purged: (body) => {
        notify(purged, (listener) => listener(body));
      },
    },
    failures,
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
