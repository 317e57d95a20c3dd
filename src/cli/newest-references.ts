import { openDesk } from './desk.ts';
import { openOperator } from './operator.ts';
import { packageFilterOf, refusalFilterOf, uploadFilterOf } from './operator.ts';

const LIMIT = 200;

/** @returns the newest object keys and firmware packages */
export async function newestReferences(
  flags: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  await using operator = await openOperator(openDesk(flags));
  const [uploads, packages] = await Promise.all([
    operator.listUploads(uploadFilterOf({ limit: LIMIT })),
    operator.listPackages(packageFilterOf({ limit: LIMIT })),
  ]);
  return [
    ...uploads.items.map(({ key }) => key),
    ...packages.items.flatMap(({ firmwareId, name }) => [firmwareId, name]),
  ];
}

/** @returns the newest refused requests, and the object keys that they name */
export async function newestRefusals(
  flags: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  await using operator = await openOperator(openDesk(flags));
  const { items } = await operator.listRefusals(refusalFilterOf({ limit: LIMIT }));
  return [
    ...items.map(({ requestId }) => requestId),
    ...items.flatMap(({ key }) => (key === undefined ? [] : [key])),
  ];
}
