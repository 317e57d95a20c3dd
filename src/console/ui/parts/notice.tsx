import type { ComponentChildren, JSX } from 'preact';
import { isUnreachable } from '../lib/api.ts';
import type { ApiError } from '../lib/api.ts';
import { t } from '../text/text.ts';

interface NoticeProps {
  readonly kind: 'info' | 'good' | 'warning' | 'bad';
  readonly children: ComponentChildren;
}

/** A box with a text. A bad one is read out at once. */
export function Notice({ children, kind }: NoticeProps): JSX.Element {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
      {children}
    </div>
  );
}

interface ErrorNoticeProps {
  readonly error: ApiError;
  readonly retry?: () => void;
}

/** What went wrong, what to do, and a button to try again. */
export function ErrorNotice({ error, retry }: ErrorNoticeProps): JSX.Element {
  const { retry: label, unreachable } = t.value.shell;
  return (
    <Notice kind="bad">
      <p>{isUnreachable(error) ? unreachable : error.message}</p>
      {error.hint !== undefined && <p>{error.hint}</p>}
      {retry && (
        <button type="button" onClick={retry}>
          {label}
        </button>
      )}
    </Notice>
  );
}

/** Stands for a list that has nothing to show. */
export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <div class="empty">{children}</div>;
}

/** Stands for what has not arrived yet. */
export function Loading(): JSX.Element {
  return (
    <p class="loading" role="status">
      {t.value.shell.loading}
    </p>
  );
}
