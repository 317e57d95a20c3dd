import type { Database } from 'better-sqlite3';
import { setImmediate } from '../../lib/timers.ts';
import type { ListedUpload, UploadQuery } from '../../uploads/ledger-queries.ts';
import { toListed } from '../rows.ts';
import type { UploadRow } from '../rows.ts';
import { uploadConditions, uploadValues } from '../upload-conditions.ts';
import type { Values } from '../upload-conditions.ts';

/** How many uploads one step looks at, which takes some milliseconds. */
const STEP = 1000;

/** As the partial indexes have it. */
const HOLDS_BYTES = `state IN ('stored', 'claimed')`;

const ORDERS = {
  largest: {
    index: 'uploads_by_size',
    column: 'size',
    direction: 'DESC',
    follows: '<',
    includes: '>=',
  },
  oldest: {
    index: 'uploads_by_age',
    column: 'stored_at',
    direction: 'ASC',
    follows: '>',
    includes: '<=',
  },
} as const;

/** A place in an order: the value of its column, and the sequence of the upload. */
interface Place {
  readonly value: number;
  readonly sequence: number;
}

/** Goes through an index in steps, between which others are served, until enough uploads are found. */
export async function findOrdered(
  database: Database,
  query: UploadQuery,
  order: keyof typeof ORDERS,
): Promise<ListedUpload[]> {
  const { find, firstPlace, lastOfStep, placeOf } = prepare(database, query, order);
  const { beforeSequence } = query;
  const found: ListedUpload[] = [];
  let place: Place | undefined =
    beforeSequence === undefined ? firstPlace : placeOf(beforeSequence);
  while (place !== undefined) {
    const last = lastOfStep(place);
    const rows = find(place, last, query.limit - found.length);
    found.push(...rows.map(toListed));
    if (found.length >= query.limit) break;
    place = last;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

/** @returns what a search consists of */
function prepare(database: Database, query: UploadQuery, order: keyof typeof ORDERS) {
  const { column, direction, follows, includes, index } = ORDERS[order];
  const sorted = `ORDER BY ${column} ${direction}, sequence ${direction}`;
  const after = `${HOLDS_BYTES} AND (${column}, sequence) ${follows} (:value, :sequence)`;
  const upTo = `(${column}, sequence) ${includes} (:lastValue, :lastSequence)`;
  const conditions = uploadConditions(query, 'LIKE').map((condition) => ` AND ${condition}`);
  const far = direction === 'DESC' ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  const near = direction === 'DESC' ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER;
  const place = database.prepare<[number], Place>(
    `SELECT ${column} AS value, sequence FROM uploads WHERE sequence = ? AND ${column} IS NOT NULL`,
  );
  const last = database.prepare<Place, Place>(
    `SELECT ${column} AS value, sequence FROM uploads WHERE ${after} ${sorted}
     LIMIT 1 OFFSET ${String(STEP - 1)}`,
  );
  // Without the name of the index, SQLite may read and sort all uploads of an account.
  const find = database.prepare<[Values], UploadRow>(
    `SELECT * FROM uploads INDEXED BY ${index} WHERE ${after} AND ${upTo}${conditions.join('')} ${sorted} LIMIT :limit`,
  );
  return {
    firstPlace: { value: far, sequence: far },
    placeOf: (sequence: number) => place.get(sequence),
    lastOfStep: (from: Place) => last.get(from),
    find: (from: Place, to: Place | undefined, limit: number) => {
      const { sequence: lastSequence, value: lastValue } = to ?? { sequence: near, value: near };
      return find.all({ ...uploadValues(query), ...from, lastValue, lastSequence, limit });
    },
  };
}
