import type { UploadQuery } from '../uploads/ledger-queries.ts';

/** The values of a query; those without a condition in the SQL are not used. */
export type Values = Readonly<Record<string, string | number | null>>;

/** The operator of a database that matches ASCII letters in any case. */
export type LikeOperator = 'LIKE' | 'ILIKE';

/** @returns the conditions of a query, without its page */
export function uploadConditions(query: UploadQuery, operator: LikeOperator): string[] {
  const { accountId, changedBefore, state, storedBefore, text } = query;
  const conditions: string[] = [];
  if (accountId !== undefined) conditions.push('account_id = :accountId');
  if (state !== undefined) conditions.push('state = :state');
  if (changedBefore !== undefined) {
    conditions.push('coalesce(stored_at, issued_at) <= :changedBefore');
  }
  if (storedBefore !== undefined) {
    conditions.push(`state = 'stored' AND stored_at <= :storedBefore`);
  }
  if (text !== undefined) {
    const matches = [
      like('key', operator),
      like('peer', operator),
      ...(isDigest(text) ? ['md5 LIKE :digest', 'sha256 LIKE :digest'] : []),
      `EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id AND ${like('name', operator)})`,
    ];
    conditions.push(`(${matches.join(' OR ')})`);
  }
  return conditions;
}

export function uploadValues(query: UploadQuery): Values {
  const { accountId, changedBefore, state, storedBefore, text } = query;
  const digest = text !== undefined && isDigest(text) ? `${text.toLowerCase()}%` : undefined;
  return optional({
    ...{ accountId, changedBefore, state, storedBefore },
    ...{ text: pattern(text), digest },
  });
}

/** Whether a text may be the beginning of a digest. */
function isDigest(text: string): boolean {
  return /^[\da-f]{6,64}$/i.test(text);
}

export function optional(values: Readonly<Record<string, string | number | undefined>>): Values {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

export function like(column: string, operator: LikeOperator): string {
  return `${column} ${operator} :text ESCAPE '\\'`;
}

export function pattern(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
