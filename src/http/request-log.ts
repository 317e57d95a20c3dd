import { LimitedLog } from '../lib/limited-log.ts';
import type { Logger } from '../lib/logger.ts';
import { withoutSecret } from '../refusals/refusal-record.ts';
import { printable } from './client-error.ts';
import type { RequestObserver, RequestRecord } from './request-record.ts';

/** Refused requests in a second that get a line each: a stranger can cause them. */
const REFUSED_LINES = { lines: 100, milliseconds: 1000 };

/** Logs one line for each request that has changed something or was refused; the others at the level `debug`. */
export function createRequestLog(logger: Logger): RequestObserver {
  const refused = new LimitedLog(logger, 'refused requests', REFUSED_LINES);
  return (record) => {
    if (record.code !== 'OK') refused.info(detailsOf(record), summaryOf(record));
    else if (record.to !== undefined) logger.info(detailsOf(record), summaryOf(record));
    else logger.debug(detailsOf(record), summaryOf(record));
  };
}

/** @returns a record in a few words, for a person */
function summaryOf({
  code,
  dialect,
  from = 'new',
  operation = dialect,
  reason,
  status,
  to,
}: RequestRecord): string {
  // A stranger may send control characters in place of an operation, and a terminal obeys them.
  if (code !== 'OK')
    return `${printable(operation)}: ${code}${reason === undefined ? '' : ` (${reason})`}`;
  if (to === undefined) return operation;
  return `${operation}: ${from} -> ${to}${status === 0 ? ', the client was gone' : ''}`;
}

/** @returns the record as it is logged: members that are undefined are not written */
function detailsOf(record: RequestRecord): object {
  const { requestId } = record;
  const keys = record.keys.map(withoutSecret);
  return {
    requestId: requestId === '' ? undefined : requestId,
    traceId: record.traceId,
    dialect: record.dialect,
    operation: record.operation,
    code: record.code,
    status: record.status,
    reason: record.reason,
    account: record.account,
    key: keys.length === 1 ? keys[0] : undefined,
    keys: keys.length > 1 ? keys : undefined,
    from: record.from,
    to: record.to,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    ms: record.ms,
    peer: record.peer,
  };
}
