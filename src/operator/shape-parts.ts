/* What the shapes are made of. */
import { z } from 'zod';

export const time = z.iso.datetime().describe('ISO 8601 in UTC');
export const bytes = z.int().min(0).describe('in bytes');
export const hexadecimal = z.string().describe('lower-case hexadecimal');
export const milliseconds = z.number().describe('in milliseconds');
