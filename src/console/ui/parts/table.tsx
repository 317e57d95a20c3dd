import { Component } from 'preact';
import type { ComponentChildren, JSX } from 'preact';

/** A column of a table. */
export interface Column<T> {
  readonly id: string;
  readonly label: ComponentChildren;
  /** Numbers are aligned at their right end. */
  readonly isNumeric?: boolean;
  /** The cell that names the row. */
  readonly isHeader?: boolean;
  readonly cell: (item: T) => ComponentChildren;
}

export interface TableProps<T> {
  /** What the table shows; seen by screen readers only. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
}

/** A table. On a narrow screen each row is shown as a card, with the labels beside the cells. */
export function Table<T>({ caption, columns, items, keyOf }: TableProps<T>): JSX.Element {
  return (
    <table class="table">
      <caption class="off-screen">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ id, isNumeric, label }) => (
            <th key={id} scope="col" class={isNumeric ? 'number' : undefined}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row key={keyOf(item)} columns={columns} item={item} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps<T> {
  readonly columns: readonly Column<T>[];
  readonly item: T;
}

/**
 * Is drawn again only when its item or the columns are others: a list that is read each second has mostly the same rows.
 * Not by `useMemo`, whose elements keep the list alive that they were first drawn in, and that one the list before.
 */
class Row<T> extends Component<RowProps<T>> {
  override shouldComponentUpdate({ columns, item }: RowProps<T>): boolean {
    return columns !== this.props.columns || item !== this.props.item;
  }

  override render({ columns, item }: RowProps<T>): JSX.Element {
    return (
      <tr>
        {columns.map((column) => (
          <Cell key={column.id} column={column} item={item} />
        ))}
      </tr>
    );
  }
}

function Cell<T>({
  column: { cell, isHeader, isNumeric, label },
  item,
}: {
  readonly column: Column<T>;
  readonly item: T;
}): JSX.Element {
  const shared = {
    class: isNumeric ? 'number' : undefined,
    'data-label': typeof label === 'string' ? label : undefined,
  };
  return isHeader ? (
    <th scope="row" {...shared}>
      {cell(item)}
    </th>
  ) : (
    <td {...shared}>{cell(item)}</td>
  );
}
