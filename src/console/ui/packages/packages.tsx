import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { PackageShape } from '../../../operator/package-shapes.ts';
import { inBackground } from '../lib/background.ts';
import { formatNumber } from '../lib/format.ts';
import { keepFresh } from '../lib/live.ts';
import { createPagedList } from '../lib/paged-list.ts';
import { language } from '../lib/preferences.ts';
import { hrefOf, route } from '../lib/route.ts';
import { Empty } from '../parts/notice.tsx';
import { PagedTable } from '../parts/paged-table.tsx';
import { QueryField } from '../parts/query-field.tsx';
import { Screen } from '../parts/screen.tsx';
import type { Column } from '../parts/table.tsx';
import { Ago, Bytes } from '../parts/values.tsx';
import { session } from '../session.ts';
import { t } from '../text/text.ts';
import { PackageDetail } from './package-detail.tsx';
import { PackageStatus } from './package-status.tsx';

/** The firmware packages, or one of them. */
export function Packages({ id }: { readonly id: string }): JSX.Element {
  return id === '' ? <PackageList /> : <PackageDetail id={id} />;
}

function PackageList(): JSX.Element {
  const list = useMemo(() => createPagedList<PackageShape>('packages'), []);
  const q = route.value.query.get('q') ?? '';
  useEffect(() => {
    inBackground(list.start(new URLSearchParams(q === '' ? {} : { q })));
    return keepFresh(['package'], () => {
      inBackground(list.refresh());
    });
  }, [q]);
  const texts = t.value.packages;
  return (
    <Screen title={t.value.shell.screens.packages}>
      <form
        class="row"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <QueryField label={`${texts.search} (${texts.searchHint})`} name="q" />
      </form>
      <PagedTable
        list={list}
        caption={texts.list}
        columns={columnsOf(session.value?.account.operator === true)}
        keyOf={({ firmwareId }) => firmwareId}
        empty={<Empty>{q === '' ? texts.none : texts.noneFound}</Empty>}
      />
    </Screen>
  );
}

function columnsOf(isOperator: boolean): Column<PackageShape>[] {
  const { columns } = t.value.packages;
  const { none } = t.value.shell;
  return [
    {
      ...{ id: 'name', label: columns.name, isHeader: true },
      cell: ({ firmwareId, name }) => (
        <a href={hrefOf('packages', firmwareId)}>
          <bdi>{name}</bdi>
        </a>
      ),
    },
    { id: 'version', label: columns.version, cell: ({ version }) => <bdi>{version}</bdi> },
    { id: 'module', label: columns.module, cell: ({ moduleName }) => <bdi>{moduleName}</bdi> },
    { id: 'product', label: columns.product, cell: ({ productKey }) => productKey ?? none },
    {
      ...{ id: 'files', label: columns.files, isNumeric: true },
      cell: ({ files }) => formatNumber(files.length, language.value),
    },
    {
      ...{ id: 'size', label: columns.size, isNumeric: true },
      cell: ({ files }) => <Bytes value={files.reduce((sum, { size }) => sum + size, 0)} />,
    },
    { id: 'status', label: columns.status, cell: (each) => <PackageStatus of={each} /> },
    ...(isOperator
      ? [
          {
            ...{ id: 'account', label: columns.account },
            cell: ({ accountId }: PackageShape) => accountId,
          },
        ]
      : []),
    { id: 'created', label: columns.created, cell: ({ createdAt }) => <Ago iso={createdAt} /> },
  ];
}
