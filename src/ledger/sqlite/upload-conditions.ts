import type { UploadQuery } from '../../uploads/ledger-queries.ts';

/** The values of a query; those without a condition in the SQL are not used. */
export type Values = Readonly<Record<string, string | number | null>>;

/** @returns the conditions of a query, without its page */
export function uploadConditions(query: UploadQuery): string[] {
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
      like('key'),
      like('peer'),
      ...(isDigest(text) ? ['md5 GLOB :digest', 'sha256 GLOB :digest'] : []),
      `EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id AND ${like('name')})`,
    ];
    conditions.push(`(${matches.join(' OR ')})`);
  }
  return conditions;
}

export function uploadValues(query: UploadQuery): Values {
  const { accountId, changedBefore, state, storedBefore, text } = query;
  const digest = text !== undefined && isDigest(text) ? `${text.toLowerCase()}*` : undefined;
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

/** ASCII letters match in any case. */
export function like(column: string): string {
  return `${column} LIKE :text ESCAPE '\\'`;
}

export function pattern(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}
