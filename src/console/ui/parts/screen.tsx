import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../text/text.ts';

interface ScreenProps {
  readonly title: string;
  /** Stands beside the title. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A screen with its title, which gets the focus when the screen is opened: a screen reader says where the page is. */
export function Screen({ actions, children, title }: ScreenProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  useEffect(() => {
    document.title = `${title} · ${t.value.shell.product}`;
  }, [title]);
  return (
    <main id="content" class="screen">
      <div class="screen-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions}
      </div>
      {children}
    </main>
  );
}
