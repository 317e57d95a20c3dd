import { pathSegment } from '../client/operator-call.ts';
import { keyInPath } from '../operator/key-in-path.ts';
import type { ApiClientOptions } from '../client/api-client.ts';
import { openQueries } from '../data-folder/open.ts';
import type { PackageFilter, RefusalFilter, UploadFilter } from '../operator/filters.ts';
import { packageFilter, refusalFilter, uploadFilter } from '../operator/filters.ts';
import type { PackageShape } from '../operator/package-shapes.ts';
import type { ExplainedShape, Page, ReferenceShape, RefusalShape } from '../operator/shapes.ts';
import type { UploadHistoryShape, UploadShape } from '../operator/upload-shapes.ts';
import { packageShape } from '../operator/package-shapes.ts';
import { explainedShape, pageOf, referenceShape, refusalShape } from '../operator/shapes.ts';
import { uploadHistoryShape, uploadShape } from '../operator/upload-shapes.ts';
import { CommandError } from './command-error.ts';
import type { Desk } from './desk.ts';
import { callOperatorApi } from './operator-api.ts';

/** What commands look at: a data folder, or a gateway through its operator API. */
export interface Operator extends AsyncDisposable {
  listUploads(filter: UploadFilter): Promise<Page<UploadShape>>;
  listPackages(filter: PackageFilter): Promise<Page<PackageShape>>;
  /** @param reference - an object key, a URL, the id or the name of a package, or the id of a request */
  resolve(reference: string): Promise<ReferenceShape | undefined>;
  showUpload(key: string): Promise<UploadHistoryShape | undefined>;
  showPackage(firmwareId: string): Promise<PackageShape | undefined>;
  listRefusals(filter: RefusalFilter): Promise<Page<RefusalShape>>;
  /** @returns undefined when no refused request has the id */
  explainRequest(requestId: string): Promise<ExplainedShape | undefined>;
}

/** Opens what a command looks at: the gateway of an endpoint, else the data folder, also while no server uses it. */
export async function openOperator(desk: Desk): Promise<Operator> {
  if (desk.endpoint !== undefined) return remoteOperator(desk.clientFor(desk.endpoint));
  const folder = await openQueries(desk.config);
  const { queries, refusals, viewer } = folder;
  return {
    listUploads: (filter) => queries.listUploads(viewer, filter),
    listPackages: (filter) => queries.listPackages(viewer, filter),
    resolve: (reference) => queries.resolve(viewer, reference),
    showUpload: (key) => queries.showUpload(viewer, key),
    showPackage: (firmwareId) => queries.showPackage(viewer, firmwareId),
    listRefusals: (filter) => refusals.listRefusals(viewer, filter),
    explainRequest: (requestId) => refusals.explainRequest(viewer, requestId),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Asks the operator API of a gateway. */
export function remoteOperator(api: ApiClientOptions): Operator {
  const get = <T>(
    path: string,
    shape: Parameters<typeof callOperatorApi<T>>[2],
    query: Readonly<Record<string, string>> = {},
  ): Promise<T> => callOperatorApi(api, { method: 'GET', path, query }, shape);
  return {
    listUploads: (filter) => get('/uploads', pageOf(uploadShape), queryOf(filter)),
    listPackages: (filter) => get('/packages', pageOf(packageShape), queryOf(filter)),
    resolve: (reference) => orUndefined(get('/resolve', referenceShape, { reference })),
    showUpload: (key) =>
      orUndefined(get(`/uploads/${pathSegment(keyInPath(key))}`, uploadHistoryShape)),
    showPackage: (id) => orUndefined(get(`/packages/${pathSegment(id)}`, packageShape)),
    listRefusals: (filter) => get('/refusals', pageOf(refusalShape), queryOf(filter)),
    explainRequest: (id) => orUndefined(get(`/refusals/${pathSegment(id)}`, explainedShape)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const CURSOR_RADIX = 36;

/** @returns a filter as the query of a list; durations are milliseconds in both */
function queryOf(filter: UploadFilter | PackageFilter | RefusalFilter): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of Object.entries(filter)) {
    query[name] = name === 'after' ? Number(value).toString(CURSOR_RADIX) : String(value);
  }
  return query;
}

const MISSING = ['UploadNotFound', 'PackageNotFound', 'RefusalNotFound', 'NothingFound'];

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CommandError && MISSING.includes(error.code)) return undefined;
    throw error;
  }
}

/** @returns the filter of a list of uploads, from flags that were checked */
export function uploadFilterOf(flags: object): UploadFilter {
  return uploadFilter.parse(withoutUndefined(flags));
}

/** @returns the filter of a list of packages, from flags that were checked */
export function packageFilterOf(flags: object): PackageFilter {
  return packageFilter.parse(withoutUndefined(flags));
}

/** @returns the filter of a list of refused requests, from flags that were checked */
export function refusalFilterOf(flags: object): RefusalFilter {
  return refusalFilter.parse(withoutUndefined(flags));
}

function withoutUndefined(flags: object): object {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}

/** The error for a name that nothing has. */
export function notFound(reference: string): CommandError {
  return new CommandError(
    'NotFound',
    `no upload, firmware package or request is called ${reference}`,
    'Give an object key, its URL, a FirmwareId, the name of a package or a request id; `ota-gateway ls` lists them',
  );
}
