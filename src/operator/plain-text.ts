import { z } from 'zod';
import { hasNul } from '../lib/nul.ts';

/** A text as the ledger can keep it, or look for it. */
export const plainText = z.string().refine((text) => !hasNul(text), 'expected no character U+0000');
