import type { RefusalReason } from '../../../refusals/refusal-reason.ts';

/** @returns the name of a reason; the reason itself when a newer gateway has it */
export function nameReason(reason: string, names: Readonly<Record<RefusalReason, string>>): string {
  return Object.entries(names).find(([each]) => each === reason)?.[1] ?? reason;
}
