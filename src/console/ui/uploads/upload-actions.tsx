import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce } from '../lib/announce.ts';
import { t } from '../text/text.ts';
import { ClaimDialog } from './claim-dialog.tsx';
import { Download } from './download.tsx';
import { claim, remove } from './jobs.ts';
import { RemoveDialog } from './remove-dialog.tsx';
import type { UploadShape } from '../../../operator/upload-shapes.ts';

interface UploadActionsProps {
  readonly upload: UploadShape;
  /** Reads the upload again. */
  readonly read: () => Promise<void>;
}

/** What can be done to an upload in its state, or why nothing can. */
export function UploadActions({ read, upload }: UploadActionsProps): JSX.Element {
  const texts = t.value.uploads;
  const { firmwareId, key, state } = upload;
  if (state === 'stored') return <StoredActions uploadKey={key} read={read} />;
  if (state === 'claimed') {
    return (
      <section class="card" aria-label={texts.download}>
        <p class="muted">{texts.held}</p>
        {firmwareId !== undefined && <Download uploadKey={key} firmwareId={firmwareId} />}
      </section>
    );
  }
  return <p class="muted">{state === 'issued' ? texts.notUploaded : texts.gone}</p>;
}

function StoredActions({
  read,
  uploadKey,
}: {
  readonly uploadKey: string;
  readonly read: () => Promise<void>;
}): JSX.Element {
  const texts = t.value.uploads;
  const asked = useSignal<'claim' | 'remove' | undefined>(undefined);
  const close = (): void => {
    asked.value = undefined;
  };
  const end = async (what: string): Promise<void> => {
    close();
    announce(what);
    await read();
    // The button that had the focus is gone.
    document.querySelector('h1')?.focus();
  };
  const ask = (what: 'claim' | 'remove') => (): void => {
    asked.value = what;
  };
  return (
    <div class="row">
      <button type="button" class="primary" onClick={ask('claim')}>
        {texts.claim}
      </button>
      <button type="button" class="danger" onClick={ask('remove')}>
        {texts.remove}
      </button>
      {asked.value === 'claim' && (
        <ClaimDialog
          count={1}
          onClose={close}
          onClaim={async (fields) => {
            await claim(fields, [uploadKey]);
            await end(texts.outcomes.claim);
          }}
        />
      )}
      {asked.value === 'remove' && (
        <RemoveDialog
          keys={[uploadKey]}
          onClose={close}
          onRemove={async () => {
            await remove(uploadKey);
            await end(texts.outcomes.remove);
          }}
        />
      )}
    </div>
  );
}
