import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PurgeShape } from '../../../operator/shapes.ts';
import { announce } from '../lib/announce.ts';
import type { ApiError } from '../lib/api.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { formatBytes, formatNumber } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { toApiError } from '../lib/resource.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { t } from '../text/text.ts';

function purge(dryRun: boolean): Promise<PurgeShape> {
  return callApi<PurgeShape>('purge', { method: 'POST', body: { dryRun } });
}

function describe(
  { bytes, purged }: PurgeShape,
  text: (count: string, size: string) => string,
): string {
  return text(formatNumber(purged, language.value), formatBytes(bytes, language.value));
}

/** Says what is due, and purges it. @param props.onPurged - is called afterwards */
export function PurgeNow({ onPurged }: { readonly onPurged: () => void }): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <>
      <button
        type="button"
        onClick={() => {
          isOpen.value = true;
        }}
      >
        {t.value.storage.purgeNow}
      </button>
      {isOpen.value && (
        <PurgeDialog
          onClose={() => {
            isOpen.value = false;
          }}
          onPurged={onPurged}
        />
      )}
    </>
  );
}

interface PurgeDialogProps {
  readonly onClose: () => void;
  readonly onPurged: () => void;
}

function PurgeDialog({ onClose, onPurged }: PurgeDialogProps): JSX.Element {
  const due = useSignal<PurgeShape | undefined>(undefined);
  const error = useSignal<ApiError | undefined>(undefined);
  const { shell, storage: texts } = t.value;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (problem) {
      error.value = toApiError(problem);
    }
  };
  const look = async (): Promise<void> => {
    due.value = await purge(true);
  };
  const run = async (): Promise<void> => {
    const done = await purge(false);
    announce(describe(done, texts.purged));
    onPurged();
    onClose();
  };
  useEffect(() => {
    inBackground(attempt(look));
  }, []);
  const count = due.value?.purged ?? 0;
  return (
    <Dialog title={texts.purgeTitle} onClose={onClose}>
      {error.value && <ErrorNotice error={error.value} />}
      {due.value === undefined && !error.value && <Loading />}
      {due.value && <p>{count === 0 ? texts.nothingDue : describe(due.value, texts.due)}</p>}
      <div class="row">
        <button
          type="button"
          class="danger"
          disabled={count === 0}
          onClick={() => {
            inBackground(attempt(run));
          }}
        >
          {texts.purgeNow}
        </button>
        <button type="button" onClick={onClose}>
          {shell.cancel}
        </button>
      </div>
    </Dialog>
  );
}
