import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce } from '../lib/announce.ts';
import { inBackground } from '../lib/background.ts';
import { t } from '../text/text.ts';
import { ClaimDialog } from './claim-dialog.tsx';
import { claim, failuresOf, numbered, remove, runJob } from './jobs.ts';
import type { Job } from './jobs.ts';
import { RemoveDialog } from './remove-dialog.tsx';
import { Toolbar } from './toolbar.tsx';
import type { Action } from './toolbar.tsx';
import type { ListState } from './upload-list.tsx';

/** What was asked for, and the keys that were selected then: the list may change while the dialog is open. */
interface Asked {
  readonly action: Action;
  readonly keys: readonly string[];
}

/** The toolbar of the list, its dialogs, and what they do. */
export function SelectedActions({ state }: { readonly state: ListState }): JSX.Element {
  const asked = useSignal<Asked | undefined>(undefined);
  const close = (): void => {
    asked.value = undefined;
  };
  const end = async (job: Job): Promise<void> => {
    const failures = failuresOf(job);
    state.job.value = job;
    announce(t.value.uploads.outcomes.summary(job.total - failures, failures));
    await state.list.refresh();
  };
  const run = (...given: JobArguments): void => {
    close();
    state.selectAll(false);
    const report = (job: Job): void => {
      state.job.value = job;
    };
    inBackground(runJob(...given, report).then(end));
  };
  return (
    <>
      <Toolbar
        selection={state.selection.value}
        onSelectAll={state.selectAll}
        onAction={(action) => {
          const keys = state.selection.value.stored.map(({ key }) => key);
          // The next outcomes get the focus when they appear.
          state.job.value = undefined;
          asked.value = { action, keys };
        }}
      />
      {asked.value && <ActionDialog asked={asked.value} onClose={close} onEnd={end} run={run} />}
    </>
  );
}

type JobArguments = [kind: Job['kind'], keys: readonly string[], act: Parameters<typeof runJob>[2]];

interface ActionDialogProps {
  readonly asked: Asked;
  readonly onClose: () => void;
  readonly onEnd: (job: Job) => Promise<void>;
  readonly run: (...given: JobArguments) => void;
}

function ActionDialog({
  asked: { action, keys },
  onClose,
  onEnd,
  run,
}: ActionDialogProps): JSX.Element {
  if (action === 'remove') {
    return (
      <RemoveDialog
        keys={keys}
        onClose={onClose}
        onRemove={() => {
          run('remove', keys, async (key) => {
            await remove(key);
            return {};
          });
          return Promise.resolve();
        }}
      />
    );
  }
  if (action === 'claimEach') {
    return (
      <ClaimDialog
        count={keys.length}
        isEach
        onClose={onClose}
        onClaim={(fields) => {
          run('claim', keys, async (key, index) => ({
            package: await claim(numbered(fields, index), [key]),
          }));
          return Promise.resolve();
        }}
      />
    );
  }
  return (
    <ClaimDialog
      count={keys.length}
      onClose={onClose}
      onClaim={async (fields) => {
        const made = await claim(fields, keys);
        onClose();
        const outcomes = keys.map((key) => ({ key, package: made }));
        await onEnd({ kind: 'claim', total: keys.length, outcomes });
      }}
    />
  );
}
