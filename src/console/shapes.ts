/*
 * The JSON of the console's session, for its page and for the OpenAPI document. The page may import this file: it needs
 * nothing of Node.
 */
import { z } from 'zod';

/** The header that every change by the page must have: only a page of the same origin can send it. */
export const PAGE_HEADER = 'x-gateway-console';
/** What stands before the id and the challenge in the text that a proof signs. */
export const PROOF_PREFIX = 'ota-gateway console';

/**
 * Where the page sees `/_gateway/`; a proxy may add a prefix. It becomes the Path of the cookie, so it may have nothing
 * that ends an attribute, and no step up.
 */
export const cookiePath = z
  .string()
  .max(256, 'expected at most 256 characters')
  .regex(
    /^\/(?:(?!\.{1,2}\/)[\w.~%@+-]+\/)*_gateway\/$/,
    'expected a path like /_gateway/ or /prefix/_gateway/',
  );

export const challengeShape = z.object({
  challenge: z.string().describe('good for 60 seconds, and once'),
});

export const signInInput = z.strictObject({
  id: z.string().min(1).max(256).describe('of the access key'),
  challenge: z.string().max(256),
  proof: z
    .string()
    .regex(/^[\da-f]{64}$/, 'expected 64 lower-case hexadecimal digits')
    .describe(
      'HMAC-SHA256 in lower-case hexadecimal: the key is the secret, the text is "ota-gateway console", the id and the challenge, joined by line feeds',
    ),
  path: cookiePath
    .exactOptional()
    .describe('where the page sees /_gateway/, when a proxy adds a prefix; the Path of the cookie'),
});

export const signOutInput = z.strictObject({
  path: cookiePath.exactOptional().describe('as it was given when the session began'),
});

/** Who is signed in. */
export const sessionShape = z.object({
  account: z.object({ id: z.string(), operator: z.boolean() }),
  accessKeyId: z.string(),
  expiresAt: z.iso.datetime().describe("by the machine's clock, ISO 8601 in UTC"),
});

export const signedInShape = z.object({ session: sessionShape });

export const sessionStateShape = z.object({
  session: sessionShape.nullable().describe('null: nobody is signed in'),
  credentialsFile: z
    .string()
    .exactOptional()
    .describe(
      'the file with the generated access key; only for a client on the same machine, while nobody is signed in',
    ),
});

export type SessionShape = z.infer<typeof sessionShape>;
export type SessionStateShape = z.infer<typeof sessionStateShape>;
export type SignInInput = z.infer<typeof signInInput>;
