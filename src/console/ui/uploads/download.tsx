import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { LinkShape } from '../../../operator/package-shapes.ts';
import { announce } from '../lib/announce.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { curlOf } from '../lib/curl.ts';
import { createResource } from '../lib/resource.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Facts } from '../parts/facts.tsx';
import { ErrorNotice, Notice } from '../parts/notice.tsx';
import { Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { fileNameOf } from './upload.ts';

interface DownloadProps {
  readonly uploadKey: string;
  readonly firmwareId: string;
}

/** Makes a link that downloads a claimed upload, and shows it. */
export function Download({ firmwareId, uploadKey }: DownloadProps): JSX.Element {
  const texts = t.value.uploads;
  const isBusy = useSignal(false);
  const links = useMemo(
    () =>
      createResource((signal) =>
        callApi<{ readonly urls: readonly LinkShape[] }>(
          `packages/${encodeURIComponent(firmwareId)}/urls`,
          {
            signal,
          },
        ),
      ),
    [firmwareId],
  );
  const make = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    await links.read();
    isBusy.value = false;
    if (links.error.value === undefined) announce(texts.linkReady);
  };
  const made = links.value.value?.urls;
  const link = made?.find(({ key }) => key === uploadKey);
  return (
    <>
      <div>
        <button
          type="button"
          onClick={() => {
            inBackground(make());
          }}
        >
          {texts.makeLink}
        </button>
      </div>
      {links.error.value && <ErrorNotice error={links.error.value} />}
      {made && !link && <Notice kind="bad">{texts.noLink}</Notice>}
      {link && <Link link={link} />}
    </>
  );
}

function Link({ link: { expiresAt, key, name, url } }: { readonly link: LinkShape }): JSX.Element {
  const texts = t.value.uploads;
  const fileName = name ?? fileNameOf(key);
  const command = curlOf(fileName, url);
  return (
    <Facts
      facts={[
        [
          texts.link,
          <>
            <a class="key" href={url} download={fileName}>
              {url}
            </a>
            <CopyButton text={url} label={texts.link} />
          </>,
        ],
        [
          texts.curl,
          <>
            <code class="key">{command}</code>
            <CopyButton text={command} label={texts.curl} />
          </>,
        ],
        [texts.validUntil, <Time key="time" iso={expiresAt} />],
      ]}
    />
  );
}
