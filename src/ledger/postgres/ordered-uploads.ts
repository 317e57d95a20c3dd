import type { ListedUpload, UploadQuery } from '../../uploads/ledger-queries.ts';
import { UPLOAD_COLUMNS, toListed } from '../rows.ts';
import type { UploadRow } from '../rows.ts';
import { uploadConditions, uploadValues } from '../upload-conditions.ts';
import type { Values } from '../upload-conditions.ts';
import type { Connections } from './connections.ts';
import { unnamed } from './statement.ts';

/** How many uploads one statement looks at, which takes some tens of milliseconds. */
const STEP = 20_000;

/** As the partial indexes have it. */
const HOLDS_BYTES = `state IN ('stored', 'claimed')`;

const ORDERS = {
  largest: { column: 'size', direction: 'DESC', follows: '<', includes: '>=' },
  oldest: { column: 'stored_at', direction: 'ASC', follows: '>', includes: '<=' },
} as const;

/** A place in an order: the value of its column, and the sequence of the upload. */
interface Place {
  readonly value: number;
  readonly sequence: number;
}

/** Goes through an index in steps until enough uploads are found. */
export async function findOrdered(
  connections: Connections,
  query: UploadQuery,
  order: keyof typeof ORDERS,
): Promise<ListedUpload[]> {
  const { find, firstPlace, lastOfStep, placeOf } = prepare(query, order);
  const found: ListedUpload[] = [];
  let place: Place | undefined =
    query.beforeSequence === undefined
      ? firstPlace
      : (await connections.read(placeOf, { sequence: query.beforeSequence })).rows[0];
  while (place !== undefined && found.length < query.limit) {
    const [last]: Place[] = (await connections.read(lastOfStep, place)).rows;
    const { rows } = await connections.read(find(last), {
      ...uploadValues(query),
      ...place,
      ...(last && { lastValue: last.value, lastSequence: last.sequence }),
      limit: query.limit - found.length,
    });
    found.push(...rows.map(toListed));
    place = last;
  }
  return found;
}

/** @returns what a search consists of */
function prepare(query: UploadQuery, order: keyof typeof ORDERS) {
  const { column, direction, follows, includes } = ORDERS[order];
  const sorted = `ORDER BY ${column} ${direction}, sequence ${direction}`;
  const after = `${HOLDS_BYTES} AND (${column}, sequence) ${follows} (:value, :sequence)`;
  const upTo = `(${column}, sequence) ${includes} (:lastValue, :lastSequence)`;
  const far = direction === 'DESC' ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  const firstPlace: Place = { value: far, sequence: far };
  return {
    firstPlace,
    placeOf: unnamed<{ readonly sequence: number }, Place>(
      `SELECT ${column} AS value, sequence FROM uploads
       WHERE sequence = :sequence AND ${column} IS NOT NULL`,
    ),
    lastOfStep: unnamed<Place, Place>(
      `SELECT ${column} AS value, sequence FROM uploads WHERE ${after} ${sorted}
       LIMIT 1 OFFSET ${String(STEP - 1)}`,
    ),
    find: (last: Place | undefined) => {
      const conditions = [after, ...(last ? [upTo] : []), ...uploadConditions(query, 'ILIKE')];
      return unnamed<Values, UploadRow>(
        `SELECT ${UPLOAD_COLUMNS} FROM uploads WHERE ${conditions.join(' AND ')} ${sorted} LIMIT :limit`,
      );
    },
  };
}
