import type { FirmwarePackage, Observer, PurgingBody, StoredObject } from '../gateway.ts';

/** Stops the calls of a hook. */
export type Unsubscribe = () => void;

/** Ways to be told what happens in a gateway. */
export interface Hooks {
  /** Calls back for each file that is stored. @returns a function that stops it */
  onStored(listener: (key: string, object: StoredObject) => void): Unsubscribe;
  /** Calls back for each firmware package that is made. @returns a function that stops it */
  onClaimed(listener: (firmwarePackage: FirmwarePackage) => void): Unsubscribe;
  /** Calls back for each file that is gone. @returns a function that stops it */
  onPurged(listener: (body: PurgingBody) => void): Unsubscribe;
}

/** The hooks of one gateway, the observer that serves them, and the errors that they have thrown. */
export interface Hookup {
  readonly hooks: Hooks;
  readonly observer: Observer;
  readonly failures: unknown[];
}

export function createHooks(): Hookup {
  const stored = new Set<(key: string, object: StoredObject) => void>();
  const claimed = new Set<(firmwarePackage: FirmwarePackage) => void>();
  const purged = new Set<(body: PurgingBody) => void>();
  const failures: unknown[] = [];
  const tell = <T>(listeners: Iterable<T>, call: (listener: T) => void): void => {
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
        tell(stored, (listener) => listener(key, object));
      },
      claimed: (firmwarePackage) => {
        tell(claimed, (listener) => listener(firmwarePackage));
      },
      purged: (body) => {
        tell(purged, (listener) => listener(body));
      },
    },
    failures,
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): Unsubscribe {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
