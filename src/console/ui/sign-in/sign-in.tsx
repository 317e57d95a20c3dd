import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { ApiError } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { TextField } from '../parts/field.tsx';
import { Notice } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { credentialsFile, hasExpired, signIn } from '../session.ts';
import { t } from '../text/text.ts';

/** The screen to sign in with an access key. */
export function SignIn(): JSX.Element {
  const id = useSignal('');
  const secret = useSignal('');
  const problem = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);
  const texts = t.value.signIn;
  const submit = async (): Promise<void> => {
    isBusy.value = true;
    problem.value = undefined;
    try {
      await signIn(id.value.trim(), secret.value.trim());
    } catch (error) {
      problem.value = describe(error);
    }
    secret.value = '';
    isBusy.value = false;
  };
  return (
    <Screen title={texts.title}>
      <form
        class="sign-in"
        onSubmit={(event) => {
          event.preventDefault();
          inBackground(submit());
        }}
      >
        {hasExpired.value && <Notice kind="info">{texts.expired}</Notice>}
        {problem.value !== undefined && <Notice kind="bad">{problem.value}</Notice>}
        <TextField
          label={texts.accessKey}
          text={id}
          name="username"
          autocomplete="username"
          isRequired
        />
        <TextField
          label={texts.secret}
          text={secret}
          name="password"
          type="password"
          autocomplete="current-password"
          isRequired
        />
        <button type="submit" class="primary" disabled={isBusy.value}>
          {texts.submit}
        </button>
        <p class="muted">{texts.promise}</p>
        {credentialsFile.value !== undefined && (
          <p class="muted">{texts.keyFile(credentialsFile.value)}</p>
        )}
      </form>
    </Screen>
  );
}

function describe(error: unknown): string {
  const { shell, signIn: texts } = t.value;
  if (!(error instanceof ApiError)) return String(error);
  if (error.code === 'ChallengeExpired') return texts.stale;
  if (error.status === 401) return texts.wrong;
  if (error.status === 429) return texts.tooMany;
  if (error.status === 0) return shell.unreachable;
  return [error.message, ...(error.hint === undefined ? [] : [error.hint])].join('; ');
}
