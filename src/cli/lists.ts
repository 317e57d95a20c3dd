import { wallClock } from '../lib/clock.ts';
import { quoted } from '../lib/quoted.ts';
import { formatSpan } from '../lib/time-span.ts';
import type { PackageShape } from '../operator/package-shapes.ts';
import type { Page, RefusalShape } from '../operator/shapes.ts';
import type { UploadShape } from '../operator/upload-shapes.ts';
import type { UploadFilter } from '../operator/filters.ts';
import type { Column } from './columns.ts';
import { formatTable } from './columns.ts';
import type { Operator } from './operator.ts';
import { packageFilterOf, refusalFilterOf, uploadFilterOf } from './operator.ts';
import type { OutputFlags, Paint } from './output.ts';
import { painter, print, printJson, say } from './output.ts';
import { counted, formatSize } from './people.ts';

/** A list that was loaded. */
export interface List {
  /** Each item as JSON, by what names it. */
  readonly items: ReadonlyMap<string, object>;
  /** Prints it: a table and a summary, or JSON. */
  show(output: OutputFlags): void;
}

/** Loads uploads. @param filter - see `uploadFilter` of the operator API */
export async function listUploads(operator: Operator, filter: object): Promise<List> {
  const page = await searchUploads(operator, uploadFilterOf(filter));
  return toList(page, isLater(filter), {
    nameOf: ({ key, issuedAt, storedAt }) => `${key} ${issuedAt ?? storedAt ?? ''}`,
    columns: uploadColumns,
    total: totalOfUploads,
    advice: adviceOnUploads,
  });
}

/** Asks again while the gateway has not searched everything and the page is not full. */
async function searchUploads(operator: Operator, filter: UploadFilter): Promise<Page<UploadShape>> {
  const page = await operator.listUploads(filter);
  const left = filter.limit - page.items.length;
  if (page.next === undefined || left === 0) return page;
  const rest = await searchUploads(
    operator,
    uploadFilterOf({ ...filter, after: page.next, limit: left }),
  );
  return { ...rest, items: [...page.items, ...rest.items] };
}

/** Loads firmware packages. @param filter - see `packageFilter` of the operator API */
export async function listPackages(operator: Operator, filter: object): Promise<List> {
  const page = await operator.listPackages(packageFilterOf(filter));
  return toList(page, isLater(filter), {
    nameOf: ({ firmwareId }) => firmwareId,
    columns: packageColumns,
    total: (items) => counted(items.length, 'package'),
    advice: () => '',
  });
}

/** Loads refused requests. @param filter - see `refusalFilter` of the operator API */
export async function listRefusals(operator: Operator, filter: object): Promise<List> {
  const page = await operator.listRefusals(refusalFilterOf(filter));
  return toList(page, isLater(filter), {
    nameOf: ({ requestId }) => requestId,
    columns: refusalColumns,
    total: (items) => counted(items.length, 'refused request'),
    advice: () => 'ota-gateway explain REQUEST_ID tells why',
  });
}

interface ListStyle<Item> {
  readonly nameOf: (item: Item) => string;
  readonly columns: (now: number, paint: Paint) => readonly Column<Item>[];
  /** What there is in all, when the list has all of it. */
  readonly total: (items: readonly Item[]) => string;
  readonly advice: (items: readonly Item[], now: number) => string;
}

/** Whether a list goes on after another one, so that it does not have everything. */
function isLater(filter: object): boolean {
  return 'after' in filter && filter.after !== undefined;
}

function toList<Item extends object>(
  page: Page<Item>,
  isRest: boolean,
  { advice, columns, nameOf, total }: ListStyle<Item>,
): List {
  const { items, next } = page;
  return {
    items: new Map(items.map((item) => [nameOf(item), item])),
    show: (output) => {
      if (output.json) {
        printJson(page);
        return;
      }
      const now = wallClock.now();
      const { columns: width, isTTY } = process.stdout;
      const table = columns(now, painter(output));
      if (items.length > 0)
        print(formatTable(table, items, isTTY && width > 0 ? width : undefined));
      const isPart = isRest || next !== undefined;
      const count = isPart ? `${String(items.length)} listed` : total(items);
      const more = next === undefined ? '' : `there are more: --limit N, --after ${next}`;
      say([count, more, advice(items, now)].filter((each) => each !== '').join('; '));
    },
  };
}

/** A stored upload that is purged within this time is marked. */
const SOON_MS = 5 * 60_000;

function uploadColumns(now: number, paint: Paint): readonly Column<UploadShape>[] {
  return [
    {
      title: 'STATE',
      text: ({ state }) => state,
      paint: (text, row) => paintState(paint, text, row),
    },
    { title: 'KEY', text: ({ key }) => quoted(key), canShorten: true },
    { title: 'SIZE', text: ({ size }) => (size === undefined ? '-' : formatSize(size)) },
    { title: 'AGE', text: (upload) => ageOf(upload, now) },
    { title: 'PURGED IN', text: (upload) => dueIn(upload, now) },
    { title: 'PACKAGE', text: (upload) => holderOf(upload, now) },
    { title: 'FROM', text: ({ peer = '-' }) => peer, isExtra: true },
  ];
}

const STYLES = {
  issued: 'gray',
  stored: 'yellow',
  claimed: 'green',
  purging: 'magenta',
  purged: 'gray',
} as const;

function paintState(paint: Paint, text: string, { state }: UploadShape): string {
  return paint(STYLES[state], text);
}

function ageOf({ issuedAt, purgedAt, purgingSince, storedAt }: UploadShape, now: number): string {
  const since = purgedAt ?? purgingSince ?? storedAt ?? issuedAt;
  return since === undefined ? '-' : formatSpan(now - Date.parse(since));
}

function isDueSoon({ claimUntil, state }: UploadShape, now: number): boolean {
  return state === 'stored' && claimUntil !== undefined && Date.parse(claimUntil) - now < SOON_MS;
}

function dueIn(upload: UploadShape, now: number): string {
  if (upload.state !== 'stored' || upload.claimUntil === undefined) return '-';
  const left = Math.max(0, Date.parse(upload.claimUntil) - now);
  return `${formatSpan(left)}${isDueSoon(upload, now) ? ' !' : ''}`;
}

/** @returns what holds an upload, or what has become of it */
function holderOf(upload: UploadShape, now: number): string {
  const { firmwareId, packageName, packageVersion, policyExpiresAt, purgeReason, state } = upload;
  if (packageName !== undefined) return `${packageName} ${packageVersion ?? ''}`;
  if (firmwareId !== undefined) return firmwareId;
  if (purgeReason !== undefined) return purgeReason;
  if (state !== 'issued' || policyExpiresAt === undefined) return '';
  const left = Date.parse(policyExpiresAt) - now;
  return left > 0 ? `form good for ${formatSpan(left)}` : 'form expired';
}

const ON_DISK: readonly string[] = ['stored', 'claimed', 'purging'];

function totalOfUploads(items: readonly UploadShape[]): string {
  const bytes = items
    .filter(({ state }) => ON_DISK.includes(state))
    .reduce((sum, { size = 0 }) => sum + size, 0);
  return `${counted(items.length, 'upload')}, ${formatSize(bytes)} on disk`;
}

function adviceOnUploads(items: readonly UploadShape[], now: number): string {
  const due = items.filter((upload) => isDueSoon(upload, now)).length;
  if (due === 0) return '';
  return `${String(due)} ${due === 1 ? 'is' : 'are'} purged within 5 minutes: ota-gateway claim KEY --name N --version V`;
}

function packageColumns(now: number): readonly Column<PackageShape>[] {
  return [
    { title: 'FIRMWARE ID', text: ({ firmwareId }) => firmwareId },
    { title: 'NAME', text: ({ name }) => name },
    { title: 'VERSION', text: ({ version }) => version },
    { title: 'FILES', text: ({ files }) => String(files.length) },
    {
      title: 'SIZE',
      text: ({ files }) => formatSize(files.reduce((sum, { size }) => sum + size, 0)),
    },
    { title: 'AGE', text: ({ createdAt }) => formatSpan(now - Date.parse(createdAt)) },
    { title: 'STATUS', text: ({ status }) => status },
    { title: 'ACCOUNT', text: ({ accountId }) => quoted(accountId) },
  ];
}

function refusalColumns(now: number): readonly Column<RefusalShape>[] {
  return [
    { title: 'AGE', text: ({ at }) => formatSpan(now - Date.parse(at)) },
    { title: 'REQUEST ID', text: ({ requestId }) => requestId },
    { title: 'OPERATION', text: ({ operation }) => quoted(operation ?? '-') },
    { title: 'CODE', text: ({ code }) => quoted(code) },
    { title: 'REASON', text: ({ reason }) => reason },
    { title: 'LIKE IT', text: ({ repeats }) => String(repeats) },
    { title: 'PEER', text: ({ peer = '-' }) => peer },
    { title: 'KEY', text: ({ key }) => (key === undefined ? '' : quoted(key)), canShorten: true },
  ];
}
