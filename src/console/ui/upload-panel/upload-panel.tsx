import type { JSX } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { TextField } from '../parts/field.tsx';
import { Notice } from '../parts/notice.tsx';
import { t } from '../text/text.ts';
import { BatchList } from './batch-list.tsx';
import { isClaimWanted, isNameMissing, name, startFiles, version } from './wish.ts';
import './upload-panel.css';

/** Chooses files, and shows how far they are. */
export function UploadPanel(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const titleId = useId();
  const texts = t.value.uploadPanel;
  return (
    <section class="card upload-panel" aria-labelledby={titleId}>
      <h2 id={titleId} class="off-screen">
        {texts.title}
      </h2>
      <div class="row">
        <button type="button" class="primary" onClick={() => input.current?.click()}>
          {texts.choose}
        </button>
        <span class="muted">{texts.drop}</span>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label={texts.choose}
          onChange={({ currentTarget }) => {
            startFiles([...(currentTarget.files ?? [])]);
            currentTarget.value = '';
          }}
        />
        <div class="row row-end upload-wish">
          <TextField label={texts.name} text={name} name="package-name" />
          <TextField label={texts.version} text={version} name="package-version" />
          <label class="check">
            <input
              type="checkbox"
              checked={isClaimWanted.value}
              onChange={({ currentTarget }) => {
                isClaimWanted.value = currentTarget.checked;
              }}
            />
            {texts.claimAtOnce}
          </label>
        </div>
      </div>
      {isNameMissing.value && <Notice kind="bad">{texts.needsName}</Notice>}
      {!isClaimWanted.value && <p class="muted upload-hint">{texts.claimHint}</p>}
      <BatchList />
    </section>
  );
}
