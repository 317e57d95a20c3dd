/**
 * SQL whose parameters are written `:name`. With a name of its own, a connection prepares it once. It selects columns by
 * name: an older gateway goes on with a table that a newer one has given another column.
 */
export interface Statement<Parameters extends object, Row> {
  readonly name?: string;
  readonly text: string;
  /** The names of the parameters, in the order of PostgreSQL's numbers. */
  readonly names: readonly string[];
  /** Only the type is used, as that of `row`. */
  readonly parameters?: Parameters;
  readonly row?: Row;
}

/** The parameters of a statement that has none. */
export type None = Readonly<Record<string, never>>;

/** Not the colons of a cast. */
const PARAMETER = /(?<!:):([a-z]\w*)/gi;

export function statement<Parameters extends object, Row = None>(
  name: string,
  sql: string,
): Statement<Parameters, Row> {
  return { name, ...compile(sql) };
}

/** For SQL that depends on what is asked. */
export function unnamed<Parameters extends object, Row = None>(
  sql: string,
): Statement<Parameters, Row> {
  return compile(sql);
}

function compile<Parameters extends object, Row>(
  sql: string,
): Pick<Statement<Parameters, Row>, 'text' | 'names'> {
  const names: string[] = [];
  const text = sql.replace(PARAMETER, (_, name: string) => {
    if (!names.includes(name)) names.push(name);
    return `$${String(names.indexOf(name) + 1)}`;
  });
  return { text, names };
}
