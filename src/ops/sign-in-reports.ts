import type { Request } from 'express';
import { z } from 'zod';
import type { RefusalReporter } from '../refusals/refusal-record.ts';
import { createRefusal } from '../refusals/refusal-record.ts';
import { recordOf } from './api/record-calls.ts';
import type { ApiRefusal } from './api/refusals.ts';

const named = z.object({ id: z.string() });

/** Makes what keeps each refused sign-in, without its proof: a short secret could be guessed from that. */
export function createSignInReporter(
  reporter: RefusalReporter,
): (request: Request, refusal: ApiRefusal) => void {
  return (request, { message, status }) => {
    if (request.method !== 'POST' || !/^\/session\/?$/.test(request.path)) return;
    const { data } = named.safeParse(request.body);
    const facts = { headers: request.headers, status, message, accessKeyId: data?.id };
    reporter.report(createRefusal(recordOf(request), { ...facts, evidence: {} }));
  };
}
