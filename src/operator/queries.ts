import type { Clock } from '../lib/clock.ts';
import type { UploadRules } from '../uploads/dependencies.ts';
import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import type { UploadQuery } from '../uploads/ledger-queries.ts';
import type { UploadLedger } from '../uploads/ports.ts';
import type { Upload } from '../uploads/upload.ts';
import type { PackageFilter, UploadFilter } from './filters.ts';
import { readReference } from './references.ts';
import type { PackageShape } from './package-shapes.ts';
import type { Page, ReferenceShape } from './shapes.ts';
import type { UploadHistoryShape, UploadShape } from './upload-shapes.ts';
import { showHeaders, showPackage, showUpload } from './show.ts';
import { NOTHING, seesAccount, seesUpload, visibleAccount } from './viewer.ts';
import type { Viewer } from './viewer.ts';

/** What queries read. */
export interface QueryDependencies {
  readonly ledger: UploadLedger;
  readonly clock: Clock;
  readonly rules: Pick<UploadRules, 'claimTtl'>;
}

/** What people and tools ask of a gateway. What a viewer does not see is answered as if it did not exist. */
export interface Queries {
  listUploads(viewer: Viewer, filter: UploadFilter): Promise<Page<UploadShape>>;
  /** @returns all uploads of a key; undefined when there are none */
  showUpload(viewer: Viewer, key: string): Promise<UploadHistoryShape | undefined>;
  listPackages(viewer: Viewer, filter: PackageFilter): Promise<Page<PackageShape>>;
  showPackage(viewer: Viewer, firmwareId: string): Promise<PackageShape | undefined>;
  /**
   * @param reference - an object key, the URL of an object, the id or the name of a package, or the id of a request
   * @returns what it names; undefined when nothing has it. That there was such a request is not checked.
   */
  resolve(viewer: Viewer, reference: string): Promise<ReferenceShape | undefined>;
}

/** Cursors are written as `filters.ts` reads them. */
const CURSOR_RADIX = 36;
/** How many uploads of one key are shown. */
const MAX_HISTORY = 100;

/** Creates the queries; they work on any ledger, also on one that is opened for reading only. */
export function createQueries(deps: QueryDependencies): Queries {
  const { ledger, rules } = deps;
  return {
    listUploads: async (viewer, filter) => {
      const query = toQuery(deps, viewer, filter);
      if (query === undefined) return { items: [] };
      const found = await ledger.findUploads({ ...query, limit: filter.limit + 1 });
      const { searchedTo, uploads } = found;
      const holders = await findHolders(ledger, uploads.slice(0, filter.limit));
      const page = toPage(uploads, filter.limit, ({ upload }) =>
        showUpload(upload, rules.claimTtl, holders.get(holderOf(upload))),
      );
      return searchedTo === undefined ? page : { next: toCursor(searchedTo), ...page };
    },
    showUpload: async (viewer, key) => {
      const history = await ledger.findHistory(key, MAX_HISTORY);
      const seen = history.filter((upload) => seesUpload(viewer, upload));
      if (seen.length === 0) return undefined;
      const holder = await findHolder(ledger, seen.map(holderOf).find(Boolean));
      const uploads = seen.map((upload) => ({
        ...showUpload(upload, rules.claimTtl, holder),
        ...showHeaders(upload),
      }));
      return { key, uploads, ...(holder && { package: showPackage(holder) }) };
    },
    listPackages: async (viewer, { account, after, limit, q }) => {
      const accountId = visibleAccount(viewer, account);
      if (accountId === NOTHING) return { items: [] };
      const found = await ledger.findPackages({
        ...(accountId !== undefined && { accountId }),
        ...(q !== undefined && { text: q }),
        ...(after !== undefined && { beforeSequence: after }),
        limit: limit + 1,
      });
      return toPage(found, limit, (each) => showPackage(each.package));
    },
    showPackage: async (viewer, firmwareId) => {
      const found = await ledger.findPackageById(firmwareId);
      return found && seesAccount(viewer, found.accountId) ? showPackage(found) : undefined;
    },
    resolve: (viewer, reference) => resolveReference(ledger, viewer, reference),
  };
}

function toQuery(
  { clock, rules }: QueryDependencies,
  viewer: Viewer,
  { account, after, dueWithin, olderThan, order, q, state }: UploadFilter,
): Omit<UploadQuery, 'limit'> | undefined {
  const accountId = visibleAccount(viewer, account);
  if (accountId === NOTHING) return undefined;
  const now = clock.now();
  return {
    order,
    ...(accountId !== undefined && { accountId }),
    ...(state !== undefined && { state }),
    ...(q !== undefined && { text: q }),
    ...(olderThan !== undefined && { changedBefore: now - olderThan }),
    ...(dueWithin !== undefined && { storedBefore: now + dueWithin - rules.claimTtl }),
    ...(after !== undefined && { beforeSequence: after }),
  };
}

/** @param found - one more than the page has when there is a next page */
function toPage<T extends { readonly sequence: number }, S>(
  found: readonly T[],
  limit: number,
  show: (item: T) => S,
): Page<S> {
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : undefined;
  return { items: page.map(show), ...(last && { next: toCursor(last.sequence) }) };
}

function toCursor(sequence: number): string {
  return sequence.toString(CURSOR_RADIX);
}

/** @returns the id of the package that has claimed an upload; empty for none */
function holderOf(upload: Upload): string {
  return upload.state === 'claimed' ? upload.packageId : '';
}

async function findHolder(
  ledger: UploadLedger,
  id: string | undefined,
): Promise<FirmwarePackage | undefined> {
  return id === undefined ? undefined : ledger.findPackageById(id);
}

async function findHolders(
  ledger: UploadLedger,
  found: readonly { readonly upload: Upload }[],
): Promise<ReadonlyMap<string, FirmwarePackage>> {
  const holders = new Map<string, FirmwarePackage>();
  for (const id of new Set(found.map(({ upload }) => holderOf(upload)))) {
    const holder = await findHolder(ledger, id || undefined);
    if (holder !== undefined) holders.set(id, holder);
  }
  return holders;
}

async function resolveReference(
  ledger: UploadLedger,
  viewer: Viewer,
  reference: string,
): Promise<ReferenceShape | undefined> {
  const { isName, isRequest, keys } = readReference(reference);
  for (const key of keys) {
    const [newest] = await ledger.findHistory(key, 1);
    if (newest !== undefined && seesUpload(viewer, newest)) return { kind: 'upload', key };
  }
  const found = isName ? await findNamed(ledger, viewer, reference) : undefined;
  if (found !== undefined) return { kind: 'package', firmwareId: found.id };
  return isRequest ? { kind: 'request', requestId: reference } : undefined;
}

/** @returns the package with this id; or the one with this name: the viewer's own first, else that of any account */
async function findNamed(
  ledger: UploadLedger,
  viewer: Viewer,
  name: string,
): Promise<FirmwarePackage | undefined> {
  const found = await ledger.findPackageById(name);
  if (found !== undefined && seesAccount(viewer, found.accountId)) return found;
  const own = await ledger.findPackageByName(viewer.accountId, name);
  if (own !== undefined || !viewer.isOperator) return own;
  for (const { accountId } of await ledger.packageOwners()) {
    const namesake = await ledger.findPackageByName(accountId, name);
    if (namesake !== undefined) return namesake;
  }
  return undefined;
}
