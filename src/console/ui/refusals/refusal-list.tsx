import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { RefusalShape } from '../../../operator/shapes.ts';
import { REFUSAL_REASONS } from '../../../refusals/refusal-reason.ts';
import { inBackground } from '../lib/background.ts';
import { formatNumber } from '../lib/format.ts';
import { keepFresh } from '../lib/live.ts';
import { createPagedList } from '../lib/paged-list.ts';
import { language } from '../lib/preferences.ts';
import { hrefOf, route, setQuery } from '../lib/route.ts';
import { Empty } from '../parts/notice.tsx';
import { PagedTable } from '../parts/paged-table.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/values.tsx';
import { session } from '../session.ts';
import { t } from '../text/text.ts';
import { AccountField } from '../parts/account-field.tsx';
import { Choice } from '../parts/choice.tsx';
import { QueryField } from '../parts/query-field.tsx';
import { nameReason } from './reason-name.ts';
import { viewHref } from './view.ts';

const FILTERS = ['reason', 'code', 'operation', 'account', 'key'] as const;

/** The refused requests one by one. */
export function RefusalList(): JSX.Element {
  const list = useMemo(() => createPagedList<RefusalShape>('refusals'), []);
  const { query } = route.value;
  const wanted = new URLSearchParams(
    FILTERS.flatMap((name) => {
      const value = query.get(name) ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
  const search = wanted.toString();
  useEffect(() => {
    inBackground(list.start(new URLSearchParams(search)));
    return keepFresh(['refusal'], () => {
      inBackground(list.refresh());
    });
  }, [search]);
  const texts = t.value.refusals;
  return (
    <>
      <RefusalFilters wanted={wanted} />
      <PagedTable
        list={list}
        caption={texts.list}
        columns={columnsOf(session.value?.account.operator === true)}
        keyOf={({ requestId }) => requestId}
        empty={<Empty>{search === '' ? texts.none : texts.noneFound}</Empty>}
      />
    </>
  );
}

function RefusalFilters({ wanted }: { readonly wanted: URLSearchParams }): JSX.Element {
  const texts = t.value.refusals;
  const ofGroup = (['code', 'operation'] as const).flatMap((name) => {
    const value = wanted.get(name);
    return value === null ? [] : [[texts.columns[name], value] as const];
  });
  return (
    <div class="row refusal-filters">
      <Choice
        label={texts.columns.reason}
        name="reason"
        value={wanted.get('reason') ?? ''}
        options={[
          ['', texts.anyReason],
          ...REFUSAL_REASONS.map((each) => [each, texts.reasons[each]] as const),
        ]}
        onChoice={(reason) => {
          setQuery({ reason, code: undefined, operation: undefined });
        }}
      />
      <QueryField label={texts.columns.key} name="key" />
      <AccountField />
      {ofGroup.map(([label, value]) => (
        <span key={label}>
          <span class="muted">{label}</span> <bdi>{value}</bdi>
        </span>
      ))}
      {wanted.size > 0 && (
        <a href={viewHref({ view: 'each' })} onClick={focusTitle}>
          {texts.clear}
        </a>
      )}
    </div>
  );
}

/** The link that was pressed goes away, and the focus must not be lost with it. */
function focusTitle(): void {
  document.querySelector('h1')?.focus();
}

function columnsOf(isOperator: boolean): Column<RefusalShape>[] {
  const { columns, reasons } = t.value.refusals;
  const { none } = t.value.shell;
  const account: Column<RefusalShape> = {
    ...{ id: 'account', label: columns.account },
    cell: (each) => <span class="short">{each.account ?? none}</span>,
  };
  return [
    {
      ...{ id: 'time', label: columns.time, isHeader: true },
      cell: ({ at, requestId }) => (
        <a class="short" href={hrefOf('refusals', requestId)}>
          <Time iso={at} />
        </a>
      ),
    },
    {
      ...{ id: 'reason', label: columns.reason },
      cell: ({ reason }) => nameReason(reason, reasons),
    },
    { id: 'code', label: columns.code, cell: ({ code }) => <code class="short">{code}</code> },
    {
      ...{ id: 'operation', label: columns.operation },
      cell: ({ operation }) =>
        operation === undefined ? none : <bdi class="short">{operation}</bdi>,
    },
    ...(isOperator ? [account] : []),
    {
      ...{ id: 'key', label: columns.key },
      cell: ({ key }) => (key === undefined ? none : <UploadLink of={key} />),
    },
    {
      id: 'peer',
      label: columns.peer,
      cell: ({ peer }) => <span class="short">{peer ?? none}</span>,
    },
    {
      ...{ id: 'repeats', label: columns.repeats, isNumeric: true },
      cell: ({ repeats }) => formatNumber(repeats, language.value),
    },
  ];
}

/** Leads to the upload of a key. */
export function UploadLink({ of }: { readonly of: string }): JSX.Element {
  return (
    <a href={hrefOf('uploads', of)}>
      <bdi>{of}</bdi>
    </a>
  );
}
