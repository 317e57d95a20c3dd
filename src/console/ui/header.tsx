import type { JSX, TargetedFocusEvent, TargetedKeyboardEvent } from 'preact';
import type { SessionShape } from '../shapes.ts';
import { inBackground } from './lib/background.ts';
import { formatNumber } from './lib/format.ts';
import { liveState } from './lib/live.ts';
import { language, LANGUAGES, setLanguage, setTheme, theme, THEMES } from './lib/preferences.ts';
import { hrefOf } from './lib/route.ts';
import { overview } from './overview.ts';
import { Choice } from './parts/choice.tsx';
import { SCREENS } from './screens.tsx';
import type { ScreenEntry } from './screens.tsx';
import { signOut } from './session.ts';
import { t } from './text/text.ts';

interface HeaderProps {
  readonly present: SessionShape;
  /** The name of the screen that is shown. */
  readonly screen: string;
}

/** The bar at the top: the screens, whether the page is live, and who is signed in. */
export function Header({ present, screen }: HeaderProps): JSX.Element {
  const texts = t.value.shell;
  const shown = SCREENS.filter(
    ({ isForOperators, isHidden }) => !isHidden && (!isForOperators || present.account.operator),
  );
  return (
    <header class="header">
      <a class="brand" href={hrefOf('uploads')}>
        {texts.product}
      </a>
      <nav aria-label={texts.navigation}>
        {shown.map((entry) => (
          <a
            key={entry.name}
            href={hrefOf(entry.name)}
            aria-current={entry.name === screen ? 'page' : undefined}
          >
            {texts.screens[entry.name]} <Count entry={entry} />
          </a>
        ))}
      </nav>
      <span class={`live live-${liveState.value}`} role="status">
        {texts.live[liveState.value]}
      </span>
      <AccountMenu present={present} />
    </header>
  );
}

function Count({ entry: { count } }: { readonly entry: ScreenEntry }): JSX.Element | null {
  const about = overview.value.value;
  if (count === undefined || about === undefined) return null;
  return <span class="count number">{formatNumber(count(about), language.value)}</span>;
}

function AccountMenu({ present: { account } }: Pick<HeaderProps, 'present'>): JSX.Element {
  const texts = t.value.shell;
  return (
    <details class="menu" onKeyDown={closeOnEscape} onFocusOut={closeOnLeave}>
      <summary aria-label={texts.account(account.id)}>{account.id}</summary>
      <div class="menu-items">
        {account.operator && <p class="muted">{texts.operator}</p>}
        <a href={hrefOf('about')}>{texts.screens.about}</a>
        <Choice
          label={texts.language}
          name="language"
          value={language.value}
          options={LANGUAGES.map((each) => [each, texts.languages[each]] as const)}
          onChoice={setLanguage}
        />
        <Choice
          label={texts.theme}
          name="theme"
          value={theme.value}
          options={THEMES.map((each) => [each, texts.themes[each]] as const)}
          onChoice={setTheme}
        />
        <button
          type="button"
          onClick={() => {
            inBackground(signOut());
          }}
        >
          {texts.signOut}
        </button>
      </div>
    </details>
  );
}

function closeOnEscape(event: TargetedKeyboardEvent<HTMLDetailsElement>): void {
  if (event.key !== 'Escape') return;
  event.currentTarget.open = false;
  event.currentTarget.querySelector('summary')?.focus();
}

function closeOnLeave(event: TargetedFocusEvent<HTMLDetailsElement>): void {
  const { currentTarget, relatedTarget } = event;
  if (relatedTarget instanceof Node && currentTarget.contains(relatedTarget)) return;
  currentTarget.open = false;
}
