import type { RequestRecord } from '../http/request-record.ts';
import type { RefusalGroup } from '../refusals/refusal-groups.ts';
import { withoutSecret } from '../refusals/refusal-record.ts';
import type { RefusalRecord } from '../refusals/refusal-record.ts';
import type { RefusalGroupShape } from './refusal-shapes.ts';
import type { RefusalShape, RequestShape } from './shapes.ts';
import { iso } from './show.ts';

/** @returns a refusal as the shapes have it */
export function showRefusal(refusal: RefusalRecord): RefusalShape {
  const { accessKeyId, account, agent, ec, key, operation, peer, traceId } = refusal;
  const { at, code, dialect, message, reason, repeats, requestId, status } = refusal;
  return {
    ...{ requestId, at: iso(at), dialect, code, status, reason, message, repeats },
    ...(operation !== undefined && { operation }),
    ...(ec !== undefined && { ec }),
    ...(account !== undefined && { account }),
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(key !== undefined && { key }),
    ...(peer !== undefined && { peer }),
    ...(agent !== undefined && { agent }),
    ...(traceId !== undefined && { traceId }),
  };
}

/** @returns a group of refusals as the shapes have it */
export function showRefusalGroup({ lastAt, who, ...group }: RefusalGroup): RefusalGroupShape {
  return { ...group, lastAt: iso(lastAt), who: { count: who.count, names: [...who.names] } };
}

/** @returns a handled request as the shapes have it */
export function showRequest(record: RequestRecord): RequestShape {
  const { account, from, operation, peer, reason, to, traceId } = record;
  const { at, bytesIn, bytesOut, code, dialect, ms, requestId, status } = record;
  const keys = record.keys.map(withoutSecret);
  const [key] = keys;
  return {
    ...{ at: iso(at), requestId, dialect, code, status, bytesIn, bytesOut, ms },
    ...(operation !== undefined && { operation }),
    ...(traceId !== undefined && { traceId }),
    ...(reason !== undefined && { reason }),
    ...(account !== undefined && { account }),
    ...(keys.length === 1 && key !== undefined && { key }),
    ...(keys.length > 1 && { keys }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(peer !== undefined && { peer }),
  };
}
