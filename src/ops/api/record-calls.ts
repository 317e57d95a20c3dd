import type { Request, RequestHandler } from 'express';
import { openRecord } from '../../http/request-record.ts';
import type { OpenRecord, Recording } from '../../http/request-record.ts';
import type { Ids } from '../../lib/ids.ts';
import type { RefusalReason } from '../../refusals/refusal-reason.ts';
import { findCaller } from './authenticate.ts';

/** What recording calls works with. */
export interface RecordDependencies {
  readonly recording: Recording;
  readonly ids: Pick<Ids, 'apiRequest'>;
}

/** The state that an operation brings uploads to. */
const STATES: Readonly<Record<string, string>> = {
  'POST grants': 'issued',
  'POST packages': 'claimed',
  'DELETE uploads': 'purging',
  'DELETE packages': 'purging',
};

const REASONS: Readonly<Record<number, RefusalReason>> = {
  401: 'anonymous',
  403: 'anonymous',
  404: 'not_found',
  413: 'too_large',
  429: 'throttled',
  500: 'internal',
  503: 'overloaded',
};

const records = new WeakMap<object, OpenRecord>();

/** Records each call for the log and the metrics, except the stream of events, which shows them. */
export function recordCalls({ ids, recording }: RecordDependencies): RequestHandler {
  return (request, response, next) => {
    if (request.path === '/events') {
      next();
      return;
    }
    const record = openRecord(recording, request, response, ids.apiRequest(), 'operator');
    records.set(request, record);
    response.setHeader('x-request-id', record.requestId);
    const [, name = '', rest = ''] = /^\/([^/]*)\/?(.*)/.exec(request.path) ?? [];
    record.operation = `${request.method} ${name}`;
    if (name === 'uploads' && rest !== '') record.keys = [decode(rest)];
    response.once('close', () => {
      record.account = findCaller(request)?.account.id;
      if (record.code === 'OK') record.to = STATES[record.operation ?? ''];
      record.handled();
    });
    next();
  };
}

/** Notes in the record of a call that it is refused. */
export function noteRefusal(request: Request, code: string, status: number): void {
  records.get(request)?.refuse(code, REASONS[status] ?? 'parameter');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
