import { curlOf } from '../../../../src/console/ui/lib/curl.ts';
import { createRows, selectionOf, toggled } from '../../../../src/console/ui/uploads/rows.ts';
import { fileNameOf, remainingOf, timelineOf } from '../../../../src/console/ui/uploads/upload.ts';
import type { UploadShape } from '../../../../src/operator/upload-shapes.ts';

const issued: UploadShape = {
  key: 'ota/a.bin',
  state: 'issued',
  issuedAt: '2026-01-01T00:00:00.000Z',
  policyExpiresAt: '2026-01-01T00:01:00.000Z',
  issuedRequestId: 'ISSUE',
};
const stored: UploadShape = {
  ...issued,
  state: 'stored',
  storedAt: '2026-01-01T00:00:10.000Z',
  claimUntil: '2026-01-01T01:00:10.000Z',
  storedRequestId: 'STORE',
};

describe('the time line of an upload', () => {
  it('says until when the form of an issued upload can be used', () => {
    expect(timelineOf(issued)).toEqual([
      { state: 'issued', at: issued.issuedAt, requestId: 'ISSUE' },
      { state: 'stored', at: issued.policyExpiresAt, isAhead: true },
    ]);
  });

  it('ends for a stored upload with the time at which it is purged', () => {
    expect(timelineOf(stored).slice(1)).toEqual([
      { state: 'stored', at: stored.storedAt, requestId: 'STORE' },
      { state: 'purged', at: stored.claimUntil, isAhead: true },
    ]);
  });

  it('shows that an upload is claimed also when nobody knows since when', () => {
    const { claimUntil, ...rest } = stored;
    expect(timelineOf({ ...rest, state: 'claimed' }).at(-1)).toEqual({ state: 'claimed' });
    expect(claimUntil).toBeDefined();
  });

  it('has every step of an upload whose package was deleted', () => {
    const { claimUntil, ...rest } = stored;
    const purged: UploadShape = {
      ...rest,
      state: 'purged',
      claimedAt: '2026-01-01T00:30:00.000Z',
      claimedRequestId: 'CLAIM',
      purgingSince: '2026-01-01T00:40:00.000Z',
      purgeRequestId: 'DELETE',
      purgedAt: '2026-01-01T00:50:00.000Z',
      purgeReason: 'deleted',
    };
    expect(claimUntil).toBeDefined();
    expect(timelineOf(purged).map(({ requestId, state }) => [state, requestId])).toEqual([
      ['issued', 'ISSUE'],
      ['stored', 'STORE'],
      ['claimed', 'CLAIM'],
      ['purging', 'DELETE'],
      ['purged', undefined],
    ]);
  });
});

describe('the time that a stored upload has left', () => {
  const end = Date.parse('2026-01-01T01:00:10.000Z');

  it.each([
    [30 * 60_000, 0.5, 'calm'],
    [5 * 60_000, 1 / 12, 'calm'],
    [5 * 60_000 - 1, expect.closeTo(1 / 12, 5), 'soon'],
    [0, 0, 'due'],
    [-1000, 0, 'due'],
    [2 * 3_600_000, 1, 'calm'],
  ])('is marked when it ends: %d ms', (left, share, urgency) => {
    expect(remainingOf(stored, end - left)).toEqual({ left, share, urgency });
  });

  it('is not known for any other upload', () => {
    expect(remainingOf(issued, end)).toBeUndefined();
  });
});

describe('the rows of the list', () => {
  it('stay the same objects for uploads that have not changed', () => {
    const toRows = createRows();
    const [first] = toRows([stored]);
    const again = toRows([issued, stored]);
    expect(toRows([stored])[0]?.upload).toBe(first?.upload);
    expect(again.map(({ id }) => id)).toEqual(['0 ota/a.bin', '1 ota/a.bin']);
    const [same] = toRows([stored]);
    expect(toRows([stored])[0]).toBe(same);
  });

  it('keep their place in the selection while their state changes', () => {
    const toRows = createRows();
    const [row] = toRows([stored]);
    const ids = toggled(new Set(), row?.id ?? '');
    expect(selectionOf(toRows([{ ...stored, state: 'claimed' }]), ids)).toEqual({
      count: 1,
      stored: [],
      isAll: true,
    });
  });

  it('are selected only while they are shown', () => {
    const rows = createRows()([stored, { ...issued, key: 'b' }]);
    const ids = new Set(['0 ota/a.bin', '0 gone']);
    expect(selectionOf(rows, ids)).toEqual({ count: 1, stored: [stored], isAll: false });
    expect(toggled(ids, '0 gone')).toEqual(new Set(['0 ota/a.bin']));
    expect(selectionOf([], ids).isAll).toBe(false);
  });
});

describe('the command that downloads an upload', () => {
  it('quotes a name that a shell would read', () => {
    expect(curlOf("it's $(b).bin", 'http://gateway.test/a?x=1&y=2')).toBe(
      "curl --fail --output 'it'\\''s $(b).bin' 'http://gateway.test/a?x=1&y=2'",
    );
  });

  it.each([
    ['ota/5915/app.bin', 'app.bin'],
    ['folder/', 'folder'],
    ['/', 'firmware'],
  ])('names a file by the end of the key: %s', (key, name) => {
    expect(fileNameOf(key)).toBe(name);
  });
});
