import { OPERATIONS } from './operations/registry.ts';
import type { Parameter } from './parameters/parameter.ts';

/** What there is to say about a parameter. */
export interface ParameterDescription {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly about: string;
  /** Completes "must be ...". */
  readonly expected: string;
  /** The error code of a value that is something else. */
  readonly code: string;
  readonly default?: string;
  /** The parameters of each entry of an array; entry N is sent as `<array>.N.<name>`. */
  readonly entries?: readonly ParameterDescription[];
}

/** What there is to say about an operation. */
export interface OperationDescription {
  readonly name: string;
  readonly summary: string;
  /** Calls per second and account. */
  readonly perSecond: number;
  readonly parameters: readonly ParameterDescription[];
}

/** Describes the API as plain JSON, from the very tables it works by. */
export function describeOperations(): OperationDescription[] {
  return OPERATIONS.map(({ name, parameters, perSecond, summary }) => ({
    name,
    summary,
    perSecond,
    parameters: parameters.map(describeParameter),
  }));
}

function describeParameter(parameter: Parameter<unknown>): ParameterDescription {
  const { about, entries, fallback, name, required, rule } = parameter;
  return {
    name,
    type: rule.type,
    required,
    about,
    expected: rule.expected,
    code: rule.code,
    ...(fallback !== undefined && { default: String(fallback) }),
    ...(entries !== undefined && { entries: entries.map(describeParameter) }),
  };
}
