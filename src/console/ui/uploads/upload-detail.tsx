import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { callApi, uploadPath } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { keepFresh } from '../lib/live.ts';
import { createResource } from '../lib/resource.ts';
import { hrefOf } from '../lib/route.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { Bytes, State, Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { Timeline } from './timeline.tsx';
import type { UploadHistoryShape, UploadShape } from '../../../operator/upload-shapes.ts';
import { UploadActions } from './upload-actions.tsx';
import { UploadFacts } from './upload-facts.tsx';
import { UploadRefusals } from './upload-refusals.tsx';

/** Everything that is known of a key. */
export function UploadDetail({ uploadKey }: { readonly uploadKey: string }): JSX.Element {
  const texts = t.value.uploads;
  const { error, read, value } = useMemo(
    () =>
      createResource((signal) => callApi<UploadHistoryShape>(uploadPath(uploadKey), { signal })),
    [uploadKey],
  );
  useEffect(
    () =>
      keepFresh(['upload', 'package'], () => {
        inBackground(read());
      }),
    [read],
  );
  const [newest, ...earlier] = value.value?.uploads ?? [];
  return (
    <Screen title={texts.detail} actions={<a href={hrefOf('uploads')}>{texts.all}</a>}>
      <p class="upload-key row">
        <bdi class="key">{uploadKey}</bdi>
        <CopyButton text={uploadKey} label={texts.key} />
      </p>
      {error.value && (
        <ErrorNotice
          error={error.value}
          retry={() => {
            inBackground(read());
          }}
        />
      )}
      {newest ? <Newest upload={newest} read={read} /> : !error.value && <Loading />}
      {earlier.length > 0 && <Earlier uploads={earlier} />}
      <UploadRefusals uploadKey={uploadKey} />
    </Screen>
  );
}

function Newest({
  read,
  upload,
}: {
  readonly upload: UploadShape;
  readonly read: () => Promise<void>;
}): JSX.Element {
  const texts = t.value.uploads;
  return (
    <>
      <UploadActions upload={upload} read={read} />
      <div class="upload-parts">
        <section class="card" aria-labelledby="timeline">
          <h2 id="timeline">{texts.timeline}</h2>
          <Timeline upload={upload} />
        </section>
        <section class="card" aria-labelledby="facts">
          <h2 id="facts">{texts.facts}</h2>
          <UploadFacts upload={upload} />
        </section>
      </div>
    </>
  );
}

/** Uploads that held the key before. */
function Earlier({ uploads }: { readonly uploads: readonly UploadShape[] }): JSX.Element {
  return (
    <section class="part" aria-labelledby="earlier">
      <h2 id="earlier">{t.value.uploads.earlier}</h2>
      {uploads.map((upload) => {
        const { issuedAt = '', size, state, storedAt = issuedAt } = upload;
        return (
          <details key={`${issuedAt} ${storedAt}`} class="card">
            <summary>
              <State state={state} /> <Time iso={storedAt} />{' '}
              {size !== undefined && <Bytes value={size} />}
            </summary>
            <Timeline upload={upload} />
            <UploadFacts upload={upload} />
          </details>
        );
      })}
    </section>
  );
}
