import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { announcement } from './lib/announce.ts';
import { inBackground } from './lib/background.ts';
import { goLive, keepFresh, onMissed } from './lib/live.ts';
import { hrefOf, route } from './lib/route.ts';
import { isTestMode, overview } from './overview.ts';
import { Empty, Loading, Notice } from './parts/notice.tsx';
import { Screen } from './parts/screen.tsx';
import { SCREENS } from './screens.tsx';
import { readSession, session } from './session.ts';
import { Header } from './header.tsx';
import { SignIn } from './sign-in/sign-in.tsx';
import { t } from './text/text.ts';
import { followUploads } from './upload-panel/transfers.ts';
import { takeDroppedFiles } from './upload-panel/wish.ts';
import type { SessionShape } from '../shapes.ts';

/** The page. */
export function App(): JSX.Element {
  const { value: present } = session;
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        {t.value.shell.skip}
      </a>
      {present === undefined && <Loading />}
      {present === null && <SignIn />}
      {present && <SignedIn key={present.accessKeyId} present={present} />}
      <div class="off-screen" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}

function checkSession(): void {
  inBackground(readSession());
}

/** The hash of the address names the screen, so the link must not change it. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector('h1')?.focus();
}

function SignedIn({ present }: { readonly present: SessionShape }): JSX.Element {
  useEffect(() => goLive(checkSession), []);
  // Another tab may have signed in with another account, whose events this one would get.
  useEffect(() => onMissed(checkSession), []);
  useEffect(
    () => keepFresh(['upload', 'package', 'usage'], () => inBackground(overview.read())),
    [],
  );
  useEffect(takeDroppedFiles, []);
  useEffect(followUploads, []);
  const { id, screen } = route.value;
  const name = screen === '' ? 'uploads' : screen;
  const entry = SCREENS.find((each) => each.name === name);
  const texts = t.value.shell;
  return (
    <>
      <Header present={present} screen={name} />
      {isTestMode.value && (
        <aside class="banner" aria-label={t.value.about.testMode}>
          <Notice kind="warning">
            {texts.testMode} <a href={hrefOf('about')}>{texts.screens.about}</a>
          </Notice>
        </aside>
      )}
      {entry === undefined || (entry.isForOperators && !present.account.operator) ? (
        <Screen key={name} title={entry ? texts.screens[entry.name] : texts.product}>
          <Empty>{entry ? texts.forbidden : texts.notFound}</Empty>
        </Screen>
      ) : (
        <entry.component key={`${name}/${id}`} id={id} />
      )}
    </>
  );
}
