import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { hrefOf } from '../lib/route.ts';
import type { Column } from '../parts/table.tsx';
import { Ago, Bytes, State } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { PurgedIn } from './purged-in.tsx';
import type { Row } from './rows.ts';
import type { UploadShape } from '../../../operator/upload-shapes.ts';

/** The ids of selected rows, and how to change them. */
export interface SelectionControl {
  readonly ids: ReadonlySignal<ReadonlySet<string>>;
  readonly toggle: (id: string) => void;
}

/** @returns the columns of the list, in the language of the page */
export function createColumns(control: SelectionControl): readonly Column<Row>[] {
  const { columns: labels } = t.value.uploads;
  return [
    {
      id: 'select',
      label: <span class="off-screen">{labels.select}</span>,
      cell: (row) => <SelectRow control={control} row={row} />,
    },
    { id: 'state', label: labels.state, cell: ({ upload }) => <State state={upload.state} /> },
    {
      id: 'key',
      label: labels.key,
      isHeader: true,
      cell: ({ upload: { key } }) => <KeyLink uploadKey={key} />,
    },
    {
      id: 'size',
      label: labels.size,
      isNumeric: true,
      cell: ({ upload: { size } }) => orNone(size !== undefined && <Bytes value={size} />),
    },
    {
      id: 'stored',
      label: labels.stored,
      cell: ({ upload: { storedAt } }) => orNone(storedAt !== undefined && <Ago iso={storedAt} />),
    },
    {
      id: 'purgedIn',
      label: labels.purgedIn,
      cell: ({ upload }) => <PurgedIn upload={upload} />,
    },
    {
      id: 'package',
      label: labels.package,
      cell: ({ upload }) =>
        orNone(upload.firmwareId !== undefined && <PackageLink upload={upload} />),
    },
    { id: 'from', label: labels.from, cell: ({ upload }) => <Sender upload={upload} /> },
  ];
}

/** Who has sent an upload, as far as it is known. */
function Sender({ upload: { accountId, peer } }: { readonly upload: UploadShape }): JSX.Element {
  return <span class="sender">{peer ?? accountId ?? t.value.shell.none}</span>;
}

function orNone(content: ComponentChildren): ComponentChildren {
  return content === undefined || content === false ? (
    <span class="muted">{t.value.shell.none}</span>
  ) : (
    content
  );
}

/** A key may have any characters and any direction of writing. */
function KeyLink({ uploadKey }: { readonly uploadKey: string }): JSX.Element {
  return (
    <a class="key" href={hrefOf('uploads', uploadKey)}>
      <bdi>{uploadKey}</bdi>
    </a>
  );
}

/** The package that has claimed an upload. */
export function PackageLink({ upload }: { readonly upload: UploadShape }): JSX.Element {
  const { firmwareId = '', packageName, packageVersion } = upload;
  return (
    <a href={hrefOf('packages', firmwareId)}>
      {packageName === undefined ? (
        firmwareId
      ) : (
        <>
          <bdi>{packageName}</bdi> <bdi>{packageVersion}</bdi>
        </>
      )}
    </a>
  );
}

function SelectRow({
  control: { ids, toggle },
  row: { id, upload },
}: {
  readonly control: SelectionControl;
  readonly row: Row;
}): JSX.Element {
  return (
    <label class="select">
      <input
        type="checkbox"
        aria-label={t.value.uploads.selectOne(upload.key)}
        checked={ids.value.has(id)}
        onChange={() => {
          toggle(id);
        }}
      />
    </label>
  );
}
