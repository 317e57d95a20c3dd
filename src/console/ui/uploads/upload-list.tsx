import { computed, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { inBackground } from '../lib/background.ts';
import { keepFresh } from '../lib/live.ts';
import { createPagedList } from '../lib/paged-list.ts';
import { language } from '../lib/preferences.ts';
import { route, setQuery } from '../lib/route.ts';
import { Empty, ErrorNotice, Loading } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import { session } from '../session.ts';
import { t } from '../text/text.ts';
import { UploadPanel } from '../upload-panel/upload-panel.tsx';
import { createColumns } from './columns.tsx';
import { filterOf, Filters } from './filters.tsx';
import { Outcomes } from './outcomes.tsx';
import { createRows, selectionOf, toggled } from './rows.ts';
import { SelectedActions } from './selected-actions.tsx';
import type { Job } from './jobs.ts';
import type { UploadShape } from '../../../operator/upload-shapes.ts';

/** The list with its selection, for as long as the screen is shown. */
function createListState() {
  const list = createPagedList<UploadShape>('uploads');
  const toRows = createRows();
  const rows = computed(() => toRows(list.items.value ?? []));
  const ids = signal<ReadonlySet<string>>(new Set());
  return {
    ...{ list, rows, ids },
    selection: computed(() => selectionOf(rows.value, ids.value)),
    job: signal<Job | undefined>(undefined),
    toggle: (id: string): void => {
      ids.value = toggled(ids.value, id);
    },
    selectAll: (isSelected: boolean): void => {
      ids.value = new Set(isSelected ? rows.value.map(({ id }) => id) : []);
    },
  };
}

export type ListState = ReturnType<typeof createListState>;

/** All uploads, the newest first. */
export function UploadList(): JSX.Element {
  const state = useMemo(createListState, []);
  const { job, list } = state;
  const texts = t.value.uploads;
  const filter = filterOf(route.value.query, session.value?.account.operator === true).toString();
  useEffect(() => {
    state.selectAll(false);
    inBackground(list.start(new URLSearchParams(filter)));
  }, [filter]);
  useEffect(
    () =>
      keepFresh(['upload', 'package'], () => {
        // The first page is on its way.
        if (list.items.peek() !== undefined || list.error.peek()) inBackground(list.refresh());
      }),
    [],
  );
  const error = list.error.value;
  return (
    <Screen title={t.value.shell.screens.uploads}>
      <UploadPanel />
      <Filters />
      {job.value && (
        <Outcomes
          job={job.value}
          onClose={() => {
            job.value = undefined;
          }}
        />
      )}
      {error && (
        <ErrorNotice
          error={error}
          retry={() => {
            inBackground(list.refresh());
          }}
        />
      )}
      {list.items.value === undefined ? (
        !error && <Loading />
      ) : list.items.value.length === 0 ? (
        <NoUploads isFiltered={filter !== ''} />
      ) : (
        <>
          <SelectedActions state={state} />
          <Rows state={state} caption={texts.caption} />
        </>
      )}
    </Screen>
  );
}

function Rows({
  caption,
  state,
}: {
  readonly state: ListState;
  readonly caption: string;
}): JSX.Element {
  const { list, rows } = state;
  // The columns stay the same objects, so that only changed rows are drawn again.
  const columns = useMemo(() => createColumns(state), [state, language.value]);
  return (
    <div class="upload-list">
      <Table caption={caption} columns={columns} items={rows.value} keyOf={({ id }) => id} />
      {list.hasMore.value && (
        <button
          type="button"
          class="more"
          onClick={() => {
            inBackground(list.more());
          }}
        >
          {t.value.shell.more}
        </button>
      )}
    </div>
  );
}

function NoUploads({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  const texts = t.value.uploads;
  return (
    <Empty>
      <p>{isFiltered ? texts.noMatch : texts.empty}</p>
      {isFiltered ? (
        <button
          type="button"
          onClick={() => {
            setQuery({ state: undefined, q: undefined, account: undefined });
          }}
        >
          {texts.showAll}
        </button>
      ) : (
        <p>{texts.emptyHint}</p>
      )}
    </Empty>
  );
}
