import { wallClock } from '../lib/clock.ts';
import { quoted } from '../lib/quoted.ts';
import { formatSpan } from '../lib/time-span.ts';
import type { PackageShape } from '../operator/package-shapes.ts';
import type { UploadHistoryShape, UploadShape } from '../operator/upload-shapes.ts';
import type { Paint } from './output.ts';
import { formatSize, formatTime } from './people.ts';

type Line = readonly [label: string, text: string | undefined];

/** @returns everything about one object key, as text for people */
export function describeUpload(history: UploadHistoryShape, paint: Paint): string {
  const [newest, ...others] = history.uploads;
  const parts = [
    labeled(
      [['Key', quoted(history.key)], ...(newest === undefined ? [] : linesOf(newest))],
      paint,
    ),
    ...(newest === undefined ? [] : [lifeOf(newest, paint)]),
    ...(history.package === undefined ? [] : [describePackage(history.package, paint)]),
    ...others.map((upload) => lifeOf(upload, paint, 'Before')),
  ];
  return parts.join('\n');
}

function linesOf(upload: UploadShape): Line[] {
  const { accountId, body, contentType, crc64, md5, sha256, size, state } = upload;
  const { headers = {}, peer } = upload;
  const others = Object.entries(headers).filter(([name]) => name !== 'content-type');
  return [
    ['State', state],
    ['Size', size === undefined ? undefined : sizeOf(size)],
    ['Content-Type', contentType === undefined ? undefined : quoted(contentType)],
    ['MD5', md5],
    ['CRC-64', crc64],
    ['SHA-256', sha256],
    ['Body', body],
    ['From', peer],
    ['Account', accountId === undefined ? undefined : quoted(accountId)],
    ...others.map(([name, value]): Line => ['Header', quoted(`${name}: ${value}`)]),
  ];
}

function sizeOf(bytes: number): string {
  return bytes < 1024 ? formatSize(bytes) : `${formatSize(bytes)} (${String(bytes)} bytes)`;
}

/** @returns each state of an upload with its time, in their order */
function lifeOf(upload: UploadShape, paint: Paint, title = 'History'): string {
  const { claimUntil, firmwareId, issuedAt, policyExpiresAt, purgeReason } = upload;
  const { claimedAt, purgedAt, purgingSince, state, storedAt } = upload;
  const owner = firmwareId === undefined ? '' : `by the package ${firmwareId}`;
  const why = purgeReason === undefined ? '' : `: ${purgeReason}`;
  const lines: Line[] = [
    [
      'issued',
      withTime(
        issuedAt,
        policyExpiresAt && `, form valid until ${formatTime(policyExpiresAt)}`,
        upload.issuedRequestId,
      ),
    ],
    ['stored', withTime(storedAt, '', upload.storedRequestId)],
    [
      'claimed',
      withTime(claimedAt, owner && ` ${owner}`, upload.claimedRequestId) ?? (owner || undefined),
    ],
    [
      'is purged',
      state === 'stored' ? withTime(claimUntil, ' unless it is claimed before') : undefined,
    ],
    ['purging', withTime(purgingSince, why, upload.purgeRequestId)],
    ['purged', withTime(purgedAt)],
  ];
  return `${paint('bold', title)}\n${labeled(lines, paint, '  ')}`;
}

function withTime(iso: string | undefined, more = '', requestId?: string): string | undefined {
  if (iso === undefined) return undefined;
  const cause = requestId === undefined ? '' : `, request ${requestId}`;
  const passed = wallClock.now() - Date.parse(iso);
  const when = passed >= 0 ? `${formatSpan(passed)} ago` : `in ${formatSpan(-passed)}`;
  return `${formatTime(iso)} (${when})${more}${cause}`;
}

/** @returns everything about a firmware package, as text for people */
export function describePackage(shown: PackageShape, paint: Paint): string {
  const { files, signMethod } = shown;
  const head: Line[] = [
    ['Package', `${shown.name} ${shown.version}`],
    ['FirmwareId', shown.firmwareId],
    ['From version', shown.srcVersion],
    ['Module', shown.moduleName],
    ['Product', shown.productKey],
    [
      'Status',
      shown.status === 'verifying' ? `verifying, ${String(shown.verifyProgress)} %` : shown.status,
    ],
    ['Account', quoted(shown.accountId)],
    ['Instance', shown.instanceId],
    ['Description', shown.description === undefined ? undefined : quoted(shown.description)],
    ['Created', withTime(shown.createdAt)],
    ['Modified', shown.modifiedAt === shown.createdAt ? undefined : withTime(shown.modifiedAt)],
  ];
  const parts = files.map(({ key, name, sign, size }) =>
    labeled(
      [
        ['File', name === undefined ? undefined : quoted(name)],
        ['Key', quoted(key)],
        ['Size', sizeOf(size)],
        [signMethod, sign],
      ],
      paint,
    ),
  );
  return [labeled(head, paint), ...parts].join('\n');
}

/** Formats lines with a label; leaves out those without a text. */
function labeled(lines: readonly Line[], paint: Paint, indent = ''): string {
  const shown = lines.filter(([, text]) => text !== undefined);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown
    .map(([label, text]) => `${indent}${paint('bold', label.padEnd(width))}  ${text ?? ''}\n`)
    .join('');
}
