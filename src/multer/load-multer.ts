import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { withRealTimers } from '../lib/timers.ts';
import type { GatewayStorage } from './gateway-storage.ts';

/** What multer reads a form from, and adds to it. Its own types allow only requests of Express. */
export interface FormSource extends Readable {
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
  readonly files?: unknown;
}

/** What the gateway uses of multer. */
export type CreateMulter = (options: {
  readonly storage: GatewayStorage;
  readonly limits: Readonly<Record<string, number>>;
  /** Passes the bytes of the form to its parser. */
  readonly streamHandler: (form: Readable, parser: NodeJS.WritableStream) => void;
}) => {
  array(
    field: string,
    maximum: number,
  ): (form: FormSource, response: unknown, done: (error?: unknown) => void) => void;
};

/** Loads multer, and with it the parser of its forms: most gateways never need them. */
export function loadMulter(): CreateMulter {
  return withRealTimers(() => {
    // Not `import()`, which Jest does not allow in a CommonJS package.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const loaded: unknown = require('multer');
    if (!isMulter(loaded)) throw new Error('multer has another export');
    return loaded;
  });
}

function isMulter(loaded: unknown): loaded is CreateMulter {
  return typeof loaded === 'function' && 'memoryStorage' in loaded;
}
