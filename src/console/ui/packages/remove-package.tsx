import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PackageShape } from '../../../operator/package-shapes.ts';
import { announce } from '../lib/announce.ts';
import type { ApiError } from '../lib/api.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { toApiError } from '../lib/resource.ts';
import { hrefOf } from '../lib/route.ts';
import { Dialog } from '../parts/dialog.tsx';
import { TextField } from '../parts/field.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';

interface RemovePackageProps {
  readonly found: PackageShape;
  /** Of the package, below the API. */
  readonly path: string;
  readonly onClose: () => void;
}

/** Deletes a package after a question. */
export function RemoveButton(props: Omit<RemovePackageProps, 'onClose'>): JSX.Element {
  const isOpen = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="danger"
        onClick={() => {
          isOpen.value = true;
        }}
      >
        {t.value.packages.remove}
      </button>
      {isOpen.value && (
        <RemovePackage
          {...props}
          onClose={() => {
            isOpen.value = false;
          }}
        />
      )}
    </>
  );
}

/** Asks for the name of the package. */
function RemovePackage({ found, onClose, path }: RemovePackageProps): JSX.Element {
  const typed = useSignal('');
  const error = useSignal<ApiError | undefined>(undefined);
  const { packages: texts, shell } = t.value;
  const remove = async (): Promise<void> => {
    try {
      await callApi<PackageShape>(path, { method: 'DELETE' });
      announce(texts.removed(found.name));
      location.hash = hrefOf('packages');
    } catch (problem) {
      error.value = toApiError(problem);
    }
  };
  return (
    <Dialog title={texts.removeTitle(found.name)} onClose={onClose}>
      <form
        class="card-body"
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.value === found.name) inBackground(remove());
        }}
      >
        <p>{texts.removeHint}</p>
        <TextField label={texts.removeConfirm} text={typed} name="confirm" isRequired />
        {error.value && <ErrorNotice error={error.value} />}
        <div class="row">
          <button type="submit" class="danger" disabled={typed.value !== found.name}>
            {texts.remove}
          </button>
          <button type="button" onClick={onClose}>
            {shell.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
