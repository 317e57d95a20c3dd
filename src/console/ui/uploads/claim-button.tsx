import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce } from '../lib/announce.ts';
import { t } from '../text/text.ts';
import { ClaimDialog } from './claim-dialog.tsx';
import { claim } from './jobs.ts';

interface ClaimButtonProps {
  readonly uploadKey: string;
  /** What is claimed, for screen readers. */
  readonly name: string;
}

/** Claims one stored upload as a package. */
export function ClaimButton({ name, uploadKey }: ClaimButtonProps): JSX.Element {
  const isOpen = useSignal(false);
  const texts = t.value.uploads;
  const close = (): void => {
    isOpen.value = false;
  };
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={`${texts.claim}: ${name}`}
        onClick={() => {
          isOpen.value = true;
        }}
      >
        {texts.claim}
      </button>
      {isOpen.value && (
        <ClaimDialog
          count={1}
          onClose={close}
          onClaim={async (fields) => {
            await claim(fields, [uploadKey]);
            close();
            announce(texts.outcomes.claim);
          }}
        />
      )}
    </>
  );
}
