import { ossError } from '../errors.ts';

/** Query parameters that make a request for an object another operation, or one for other bytes than those stored. */
const OTHER_OPERATIONS: ReadonlySet<string> = new Set(
  `acl append live partNumber position qos restore sequential symlink tagging uploadId uploads versionId vod
   x-oss-process`.split(/\s+/),
);

/** Refuses what would otherwise silently be taken for GetObject, PutObject or DeleteObject. */
export function refuseOtherOperations(query: ReadonlyMap<string, string>): void {
  const other = [...query.keys()].find((name) => OTHER_OPERATIONS.has(name));
  if (other === undefined) return;
  throw ossError('NotImplemented.parameter', { values: { parameter: other } });
}
