import { useSignal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { ApiError } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { toApiError } from '../lib/resource.ts';
import { Dialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/field.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';
import { numbered } from './jobs.ts';
import type { ClaimFields } from './jobs.ts';

interface ClaimDialogProps {
  /** How many uploads are claimed. */
  readonly count: number;
  /** Each becomes a package of its own. */
  readonly isEach?: boolean;
  /** The dialog stays open and shows the error when it fails. */
  readonly onClaim: (fields: ClaimFields) => Promise<void>;
  readonly onClose: () => void;
}

/** Asks for what a package needs. */
export function ClaimDialog({
  count,
  isEach = false,
  onClaim,
  onClose,
}: ClaimDialogProps): JSX.Element {
  const texts = t.value.uploads;
  const { fields, texts: given } = useFields();
  const error = useSignal<ApiError | undefined>(undefined);
  const isBusy = useSignal(false);
  const submit = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    try {
      await onClaim(fields);
    } catch (problem) {
      error.value = toApiError(problem);
    }
    isBusy.value = false;
  };
  return (
    <Dialog
      title={isEach ? texts.claimEachTitle(count) : texts.claimTitle(count)}
      onClose={onClose}
    >
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          inBackground(submit());
        }}
      >
        {error.value && <ErrorNotice error={error.value} />}
        <TextField label={texts.name} text={given.name} name="name" isRequired />
        {isEach && fields.name !== '' && (
          <p class="muted">
            {texts.claimEachHint(numbered(fields, 0).name, numbered(fields, count - 1).name)}
          </p>
        )}
        <TextField label={texts.version} text={given.version} name="version" isRequired />
        <TextField label={texts.module} text={given.moduleName} name="module" />
        <TextField label={texts.product} text={given.productKey} name="product" />
        <div class="row">
          <button type="submit" class="primary">
            {texts.claim}
          </button>
          <button type="button" onClick={onClose}>
            {t.value.shell.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** @returns the texts of the fields, and what they say without blanks around it */
function useFields(): {
  readonly texts: Readonly<Record<keyof ClaimFields, Signal<string>>>;
  readonly fields: ClaimFields;
} {
  const texts = {
    name: useSignal(''),
    version: useSignal(''),
    moduleName: useSignal(''),
    productKey: useSignal(''),
  };
  const { moduleName, name, productKey, version } = texts;
  return {
    texts,
    fields: {
      name: name.value.trim(),
      version: version.value.trim(),
      moduleName: moduleName.value.trim(),
      productKey: productKey.value.trim(),
    },
  };
}
