import type { JSX } from 'preact';
import { t } from '../text/text.ts';
import { MAX_FILES } from './jobs.ts';
import type { Selection } from './rows.ts';

/** What can be done to the selected uploads. */
export type Action = 'claim' | 'claimEach' | 'remove';

interface ToolbarProps {
  readonly selection: Selection;
  readonly onSelectAll: (isSelected: boolean) => void;
  readonly onAction: (action: Action) => void;
}

/** Stands above the list, and stays in sight. */
export function Toolbar({ onAction, onSelectAll, selection }: ToolbarProps): JSX.Element {
  const texts = t.value.uploads;
  const { count, isAll, stored } = selection;
  const button = (action: Action, label: string, kind?: string): JSX.Element => (
    <button
      type="button"
      class={kind}
      onClick={() => {
        onAction(action);
      }}
    >
      {label}
    </button>
  );
  return (
    <div class="toolbar row">
      <label class="check">
        <input
          type="checkbox"
          checked={isAll}
          indeterminate={count > 0 && !isAll}
          onChange={({ currentTarget }) => {
            onSelectAll(currentTarget.checked);
          }}
        />
        {texts.selectAll}
      </label>
      {count > 0 && <strong class="number">{texts.selected(count)}</strong>}
      {count > stored.length && <span class="muted">{texts.notStored(count - stored.length)}</span>}
      {stored.length > MAX_FILES && <span class="muted">{texts.tooMany(MAX_FILES)}</span>}
      {stored.length > 0 && (
        <div class="row row-end">
          {stored.length === 1 && button('claim', texts.claim)}
          {stored.length > 1 && stored.length <= MAX_FILES && button('claim', texts.claimAsOne)}
          {stored.length > 1 && button('claimEach', texts.claimEach)}
          {button('remove', texts.remove, 'danger')}
        </div>
      )}
    </div>
  );
}
