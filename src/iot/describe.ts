import { OPERATIONS } from './operations/registry.ts';
import type { Parameter } from './parameters/parameter.ts';

/** The description of a parameter. */
export interface ParameterDescription {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly about: string;
  /** Completes "must be ...". */
  readonly expected: string;
  /** The error code for other values. */
  readonly code: string;
  readonly default?: string;
  /** The parameters of each entry of an array; entry N is sent as `<array>.N.<name>`. */
  readonly entries?: readonly ParameterDescription[];
}

/** The description of an operation. */
export interface OperationDescription {
  readonly name: string;
  readonly summary: string;
  /** Calls per second and account. */
  readonly perSecond: number;
  readonly parameters: readonly ParameterDescription[];
}

/** Describes the API as plain JSON, from the same tables that the operations use. */
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
