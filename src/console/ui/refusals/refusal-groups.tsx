import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { RefusalGroupShape, RefusalGroupsShape } from '../../../operator/refusal-shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { formatNumber } from '../lib/format.ts';
import { keepFresh } from '../lib/live.ts';
import { language } from '../lib/preferences.ts';
import { createResource } from '../lib/resource.ts';
import { hrefOf, route, setQuery } from '../lib/route.ts';
import { Empty, ErrorNotice, Loading } from '../parts/notice.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { AccountField } from '../parts/account-field.tsx';
import { Choice } from '../parts/choice.tsx';
import { nameReason } from './reason-name.ts';
import { viewHref } from './view.ts';

const PERIODS = ['all', '1h', '24h', '7d'] as const;

/** The refused requests, grouped by reason, code and operation. */
export function RefusalGroups(): JSX.Element {
  const { query } = route.value;
  const account = query.get('account') ?? '';
  const last = PERIODS.find((each) => each === query.get('last')) ?? 'all';
  const resource = useMemo(() => {
    const search = new URLSearchParams({
      ...(account !== '' && { account }),
      ...(last !== 'all' && { last }),
    });
    return createResource((signal) =>
      callApi<RefusalGroupsShape>(`refusal-groups?${search.toString()}`, { signal }),
    );
  }, [account, last]);
  const read = (): void => {
    inBackground(resource.read());
  };
  useEffect(() => keepFresh(['refusal'], read), [resource]);
  const texts = t.value.refusals;
  const error = resource.error.value;
  const found = resource.value.value;
  return (
    <>
      <div class="row">
        <Choice
          label={texts.period}
          name="last"
          value={last}
          options={PERIODS.map((each) => [each, texts.periods[each]])}
          onChoice={(chosen) => {
            setQuery({ last: chosen === 'all' ? undefined : chosen });
          }}
        />
        <AccountField />
      </div>
      {error && <ErrorNotice error={error} retry={read} />}
      {found === undefined && !error && <Loading />}
      {found?.items.length === 0 && <Empty>{texts.none}</Empty>}
      {found && found.items.length > 0 && (
        <Table
          caption={texts.groups}
          columns={columnsOf(account)}
          items={found.items}
          keyOf={({ code, operation = '', reason }) => `${reason} ${code} ${operation}`}
        />
      )}
      {found?.more === true && <p class="muted">{texts.moreGroups}</p>}
    </>
  );
}

function columnsOf(account: string): Column<RefusalGroupShape>[] {
  const { columns, others, reasons } = t.value.refusals;
  const { none } = t.value.shell;
  return [
    {
      ...{ id: 'reason', label: columns.reason, isHeader: true },
      cell: ({ code, operation, reason }) => (
        <a href={viewHref({ view: 'each', reason, code, operation, account })}>
          {nameReason(reason, reasons)}
        </a>
      ),
    },
    { id: 'code', label: columns.code, cell: ({ code }) => <code class="short">{code}</code> },
    {
      ...{ id: 'operation', label: columns.operation },
      cell: ({ operation }) =>
        operation === undefined ? none : <bdi class="short">{operation}</bdi>,
    },
    {
      ...{ id: 'count', label: columns.count, isNumeric: true },
      cell: ({ count }) => formatNumber(count, language.value),
    },
    {
      ...{ id: 'last', label: columns.last },
      cell: ({ lastAt, requestId }) => (
        <a href={hrefOf('refusals', requestId)}>
          <Time iso={lastAt} />
        </a>
      ),
    },
    {
      ...{ id: 'who', label: columns.who },
      cell: ({ who: { count, names } }) => {
        if (names.length === 0) return none;
        const shown = <bdi>{names.join(', ')}</bdi>;
        return count > names.length ? (
          <span>
            {shown} {others(count - names.length)}
          </span>
        ) : (
          shown
        );
      },
    },
  ];
}
