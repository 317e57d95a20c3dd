import { ossError } from '../errors.ts';

/** Query parameters that select another operation, or ask for other bytes than the stored ones. */
const OTHER_OPERATIONS: ReadonlySet<string> = new Set(
  `acl append live partNumber position qos restore sequential symlink tagging uploadId uploads versionId vod
   x-oss-process`.split(/\s+/),
);

/** Refuses a request that would otherwise be treated as GetObject, PutObject or DeleteObject by mistake. */
export function refuseOtherOperations(query: ReadonlyMap<string, string>): void {
  const other = [...query.keys()].find((name) => OTHER_OPERATIONS.has(name));
  if (other === undefined) return;
  throw ossError('NotImplemented.parameter', { values: { parameter: other } });
}
