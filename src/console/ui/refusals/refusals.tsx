import type { JSX } from 'preact';
import { route } from '../lib/route.ts';
import { Screen } from '../parts/screen.tsx';
import { t } from '../text/text.ts';
import { RefusalDetail } from './refusal-detail.tsx';
import { RefusalGroups } from './refusal-groups.tsx';
import { RefusalList } from './refusal-list.tsx';
import { viewHref } from './view.ts';
import './refusals.css';

/** The refused requests, or one of them. */
export function Refusals({ id }: { readonly id: string }): JSX.Element {
  return id === '' ? <RefusalViews /> : <RefusalDetail id={id} />;
}

function RefusalViews(): JSX.Element {
  const { each, grouped, views } = t.value.refusals;
  const { query } = route.value;
  const isEach = query.get('view') === 'each';
  const account = query.get('account') ?? undefined;
  return (
    <Screen
      key={isEach ? 'each' : 'grouped'}
      title={t.value.shell.screens.refusals}
      actions={
        <nav class="views" aria-label={views}>
          <a class="button" href={viewHref({ account })} aria-current={isEach ? undefined : 'page'}>
            {grouped}
          </a>
          <a
            class="button"
            href={viewHref({ view: 'each', account })}
            aria-current={isEach ? 'page' : undefined}
          >
            {each}
          </a>
        </nav>
      }
    >
      {isEach ? <RefusalList /> : <RefusalGroups />}
    </Screen>
  );
}
