import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { LinkShape } from '../../../operator/package-shapes.ts';
import { announce } from '../lib/announce.ts';
import type { ApiError } from '../lib/api.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { toApiError } from '../lib/resource.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { curlOf } from '../lib/curl.ts';

const PERIODS = ['1h', '24h', '7d'] as const;

/** Makes links that download the files of a package. @param props.path - of the package, below the API */
export function DownloadLinks({ path }: { readonly path: string }): JSX.Element {
  const period = useSignal<(typeof PERIODS)[number]>('24h');
  const links = useSignal<readonly LinkShape[]>([]);
  const error = useSignal<ApiError | undefined>(undefined);
  const texts = t.value.packages;
  const make = async (): Promise<void> => {
    try {
      const made = await callApi<{ readonly urls: readonly LinkShape[] }>(
        `${path}/urls?expires=${period.value}`,
      );
      links.value = made.urls;
      error.value = undefined;
      announce(texts.links);
    } catch (problem) {
      error.value = toApiError(problem);
    }
  };
  return (
    <section class="card">
      <h2>{texts.links}</h2>
      <p class="muted">{texts.linksHint}</p>
      <fieldset class="row periods">
        <legend class="off-screen">{texts.validFor}</legend>
        {PERIODS.map((each) => (
          <label key={each} class="check">
            <input
              type="radio"
              name="period"
              checked={period.value === each}
              onChange={() => {
                period.value = each;
              }}
            />
            {texts.periods[each]}
          </label>
        ))}
        <button
          type="button"
          onClick={() => {
            inBackground(make());
          }}
        >
          {texts.makeLinks}
        </button>
      </fieldset>
      {error.value && <ErrorNotice error={error.value} />}
      {links.value.length > 0 && (
        <ul class="links">
          {links.value.map((link) => (
            <Link key={link.key} link={link} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Link({ link }: { readonly link: LinkShape }): JSX.Element {
  const texts = t.value.packages;
  const name = link.name ?? link.key.slice(link.key.lastIndexOf('/') + 1);
  return (
    <li>
      <a href={link.url} download={name}>
        {texts.download} <bdi>{name}</bdi>
      </a>
      <CopyButton text={link.url} label={texts.link(name)} />
      <span class="muted">
        {texts.expires} <Time iso={link.expiresAt} />
      </span>
      <pre class="command">{curlOf(name, link.url)}</pre>
      <CopyButton text={curlOf(name, link.url)} label={texts.curlOf(name)} />
    </li>
  );
}
