import { z } from 'zod';
import { once } from '../lib/once.ts';
import type { ListedRefusal } from '../refusals/refusal-journal.ts';
import { REFUSAL_REASONS } from '../refusals/refusal-reason.ts';
import type { RefusalRecord } from '../refusals/refusal-record.ts';

/** Ids that are kept of requests that were refused like another one. */
export const MAX_IDS = 20;

/**
 * What is written as JSON; made for the first row that is read. Rows of another version of the program that cannot be
 * read are left out.
 */
const recordSchema = once((): z.ZodType<RefusalRecord> => {
  const text = z.string().optional();

  const mismatches = z.array(
    z.object({
      rule: z.number(),
      what: z.enum(['origin', 'method', 'header']),
      value: z.string(),
      allowed: z.string(),
    }),
  );
  return z.object({
    requestId: z.string(),
    at: z.number(),
    dialect: z.enum(['iot', 'oss', 'operator', 'http']),
    operation: text,
    code: z.string(),
    status: z.number(),
    ec: text,
    reason: z.enum(REFUSAL_REASONS),
    message: z.string(),
    account: text,
    accessKeyId: text,
    key: text,
    peer: text,
    agent: text,
    traceId: text,
    announced: z.number().optional(),
    repeats: z.number(),
    evidence: z.object({
      policy: text,
      fields: z.record(z.string(), z.string()).optional(),
      hasMoreFields: z.boolean().optional(),
      cut: z.array(z.string()).optional(),
      details: z.record(z.string(), z.string()).optional(),
      fileName: text,
      fileType: text,
      stringToSign: text,
      date: text,
      cors: z
        .object({ origin: text, method: text, headers: text, mismatches: mismatches.optional() })
        .optional(),
    }),
  });
});

export interface RefusalRow {
  readonly sequence: number;
  readonly repeats: number;
  readonly account: string | null;
  readonly signature: string | null;
  readonly record: string;
}

export const REFUSAL_COLUMNS = 'sequence, repeats, account_id AS account, signature, record';

export function toRefusal(row: RefusalRow): ListedRefusal | undefined {
  const { account, repeats, sequence, signature } = row;
  const { data } = recordSchema().safeParse(JSON.parse(row.record));
  if (data === undefined) return undefined;
  const evidence = { ...data.evidence, signature: signature ?? undefined };
  return { sequence, refusal: { ...data, account: account ?? undefined, repeats, evidence } };
}
