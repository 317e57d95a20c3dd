/** One condition of a policy document. `field` is lower-case and without `$`; values are as written in the policy. */
export type Condition =
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: string }
  | { readonly kind: 'in' | 'not-in'; readonly field: string; readonly values: readonly string[] }
  /** Size of the file in bytes; both bounds are inclusive. */
  | { readonly kind: 'content-length-range'; readonly min: number; readonly max: number };

type FieldCondition = Exclude<Condition, { kind: 'content-length-range' }>;

/** The parts of a request that conditions are evaluated on. */
export interface PolicySubject {
  /** The bucket that the request addresses. */
  readonly bucket: string;
  /** The form fields before the file: lower-case name -> value, before `${filename}` is expanded. */
  readonly fields: ReadonlyMap<string, string>;
  /** The `Content-Type` field, or else the Content-Type of the file part. */
  readonly contentType: string | undefined;
}

/**
 * Finds the first condition that a form does not meet.
 *
 * - A condition on an absent field is not met; this includes `not-in` (OSS error code 0006-00000226; unverified for
 *   `not-in` and for an empty prefix).
 * - `$bucket` is not a form field: it is the bucket of the request (OSS "PostObject errors and troubleshooting").
 * - `$content-type` is the effective type: the Java SDK's post policy test sends only the type of the file part.
 * - `\$` in a value stands for `$`: the Java SDK writes `\${filename}`.
 * - `content-length-range` is not evaluated here, see {@link sizeRange}.
 *
 * @returns undefined when all are met
 */
export function findFailedCondition(
  conditions: readonly Condition[],
  subject: PolicySubject,
): Condition | undefined {
  return conditions.find(
    (condition) => condition.kind !== 'content-length-range' && !isConditionMet(condition, subject),
  );
}

/** @returns whether a form meets a condition, see {@link findFailedCondition} */
export function isConditionMet(condition: FieldCondition, subject: PolicySubject): boolean {
  const actual = valueOf(condition.field, subject);
  if (actual === undefined) return false;
  switch (condition.kind) {
    case 'eq':
      return actual === unescapeDollars(condition.value);
    case 'starts-with':
      return actual.startsWith(unescapeDollars(condition.value));
    case 'in':
      return condition.values.some((value) => actual === unescapeDollars(value));
    case 'not-in':
      return !condition.values.some((value) => actual === unescapeDollars(value));
  }
}

function valueOf(field: string, subject: PolicySubject): string | undefined {
  if (field === 'bucket') return subject.bucket;
  if (field === 'content-type') return subject.contentType;
  return subject.fields.get(field);
}

/** @returns the text with each `\$` replaced by `$` */
export function unescapeDollars(text: string): string {
  return text.replaceAll('\\$', '$');
}

/**
 * @returns the condition as OSS prints it in "Policy Condition failed", e.g. `["eq", "$bucket", "x"]`; the object
 *   form is also printed as an array (page of OSS error code 0006-00000227)
 */
export function formatCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'content-length-range':
      return `["${condition.kind}", ${condition.min}, ${condition.max}]`;
    case 'in':
    case 'not-in': {
      const values = condition.values.map((value) => JSON.stringify(value)).join(', ');
      return `["${condition.kind}", ${formatField(condition.field)}, [${values}]]`;
    }
    case 'eq':
    case 'starts-with':
      return `["${condition.kind}", ${formatField(condition.field)}, ${JSON.stringify(condition.value)}]`;
  }
}

function formatField(field: string): string {
  return JSON.stringify(`$${field}`);
}

/**
 * Intersects all `content-length-range` conditions.
 *
 * @returns inclusive bounds in bytes; `max` is undefined when no condition limits the size, and less than `min` when no
 *   size meets all conditions
 */
export function sizeRange(conditions: readonly Condition[]): {
  min: number;
  max: number | undefined;
} {
  const range: { min: number; max: number | undefined } = { min: 0, max: undefined };
  for (const condition of conditions) {
    if (condition.kind !== 'content-length-range') continue;
    range.min = Math.max(range.min, condition.min);
    range.max = Math.min(range.max ?? condition.max, condition.max);
  }
  return range;
}

/**
 * Finds signing fields of a V4 form that the policy does not mention. OSS refuses such a form with "Extra input fields"
 * (page of OSS error code 0006-00000228).
 *
 * @param names - the fields that must be mentioned; upper and lower case are equal
 * @returns those that no condition mentions, in the given order
 */
export function findUncoveredFields(
  conditions: readonly Condition[],
  names: readonly string[],
): string[] {
  const covered = new Set(
    conditions.flatMap((condition) => ('field' in condition ? [condition.field] : [])),
  );
  return names.filter((name) => !covered.has(name.toLowerCase()));
}
