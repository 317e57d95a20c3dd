import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ApiError } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { toApiError } from '../lib/resource.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';

/** Keys that the question names. */
const NAMED = 5;

interface RemoveDialogProps {
  readonly keys: readonly string[];
  /** The dialog stays open and shows the error when it fails. */
  readonly onRemove: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before uploads are deleted. */
export function RemoveDialog({ keys, onClose, onRemove }: RemoveDialogProps): JSX.Element {
  const { shell, uploads: texts } = t.value;
  const error = useSignal<ApiError | undefined>(undefined);
  const submit = async (): Promise<void> => {
    try {
      await onRemove();
    } catch (problem) {
      error.value = toApiError(problem);
    }
  };
  return (
    <Dialog title={texts.removeTitle(keys.length)} onClose={onClose}>
      {error.value && <ErrorNotice error={error.value} />}
      <ul class="keys">
        {keys.slice(0, NAMED).map((key) => (
          <li key={key} class="key">
            <bdi>{key}</bdi>
          </li>
        ))}
        {keys.length > NAMED && <li>{texts.andMore(keys.length - NAMED)}</li>}
      </ul>
      <p>{texts.removeHint}</p>
      <div class="row">
        <button type="button" onClick={onClose}>
          {shell.cancel}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            inBackground(submit());
          }}
        >
          {texts.remove}
        </button>
      </div>
    </Dialog>
  );
}
