/* The rows of the list, and which of them are selected. */
import type { UploadShape } from '../../../operator/upload-shapes.ts';

/** A row of the list. */
export interface Row {
  /** A key can have several uploads: the newest has the first id of the key, so it keeps its row while its state changes. */
  readonly id: string;
  readonly upload: UploadShape;
}

/** @returns a function that makes rows, the same object as before for an upload that has not changed */
export function createRows(): (uploads: readonly UploadShape[]) => readonly Row[] {
  const made = new WeakMap<UploadShape, Row>();
  return (uploads) => {
    const counts = new Map<string, number>();
    return uploads.map((upload) => {
      const count = counts.get(upload.key) ?? 0;
      counts.set(upload.key, count + 1);
      const id = `${String(count)} ${upload.key}`;
      const known = made.get(upload);
      if (known?.id === id) return known;
      const row = { id, upload };
      made.set(upload, row);
      return row;
    });
  };
}

/** The selected rows that are shown. */
export interface Selection {
  readonly count: number;
  /** Of them those that can be claimed and deleted. */
  readonly stored: readonly UploadShape[];
  readonly isAll: boolean;
}

/** @param ids - of all rows that were selected, also of those that are not shown any more */
export function selectionOf(rows: readonly Row[], ids: ReadonlySet<string>): Selection {
  const selected = rows.filter(({ id }) => ids.has(id)).map(({ upload }) => upload);
  return {
    count: selected.length,
    stored: selected.filter(({ state }) => state === 'stored'),
    isAll: rows.length > 0 && selected.length === rows.length,
  };
}

/** @returns the set with the id, or without it when it had it */
export function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const changed = new Set(ids);
  if (!changed.delete(id)) changed.add(id);
  return changed;
}
