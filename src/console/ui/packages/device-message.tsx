import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ApiError } from '../lib/api.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { toApiError } from '../lib/resource.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';

/** The message that devices would get of a package. @param props.path - of the package, below the API */
export function DeviceMessage({ path }: { readonly path: string }): JSX.Element {
  const message = useSignal<string | undefined>(undefined);
  const error = useSignal<ApiError | undefined>(undefined);
  const texts = t.value.packages;
  const show = async (): Promise<void> => {
    try {
      message.value = JSON.stringify(await callApi<unknown>(`${path}/message`), null, 2);
      error.value = undefined;
    } catch (problem) {
      error.value = toApiError(problem);
    }
  };
  return (
    <section class="card">
      <h2>{texts.message}</h2>
      <p class="muted">{texts.messageHint}</p>
      <div class="row">
        <button
          type="button"
          onClick={() => {
            inBackground(show());
          }}
        >
          {texts.showMessage}
        </button>
        {message.value !== undefined && <CopyButton text={message.value} label={texts.message} />}
      </div>
      {error.value && <ErrorNotice error={error.value} />}
      {message.value !== undefined && <pre class="command">{message.value}</pre>}
    </section>
  );
}
