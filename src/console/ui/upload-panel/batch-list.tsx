import type { JSX } from 'preact';
import { gatewayClock } from '../lib/clock.ts';
import { formatBytes, formatCountdown, formatDuration } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { hrefOf } from '../lib/route.ts';
import { Notice } from '../parts/notice.tsx';
import { Bytes, State } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { ClaimButton } from '../uploads/claim-button.tsx';
import { batches, clearEnded, isMoving, retry } from './transfers.ts';
import { isOpen } from './transfer.ts';
import type { Transfer, TransferState } from './transfer.ts';
import type { Batch } from './transfers.ts';

/** The uploads of this page, the newest first. */
export function BatchList(): JSX.Element | null {
  const texts = t.value.uploadPanel;
  if (batches.value.length === 0) return null;
  return (
    <>
      <ul class="transfers" aria-label={texts.list}>
        {batches.value.map((batch) => (
          <BatchItems key={batch.id} batch={batch} />
        ))}
      </ul>
      {!isMoving.value && (
        <button type="button" class="quiet transfers-clear" onClick={clearEnded}>
          {texts.clear}
        </button>
      )}
    </>
  );
}

function BatchItems({ batch }: { readonly batch: Batch }): JSX.Element {
  const texts = t.value.uploadPanel;
  const claim = batch.claim.value;
  return (
    <>
      {batch.transfers.map((transfer) => (
        <TransferItem key={transfer.id} batch={batch} transfer={transfer} />
      ))}
      {claim.kind === 'claimed' && (
        <li>
          <Notice kind="good">
            <a href={hrefOf('packages', claim.made.firmwareId)}>
              {texts.isClaimed(claim.made.name, claim.made.version)}
            </a>
          </Notice>
        </li>
      )}
      {claim.kind === 'failed' && (
        <li>
          <Notice kind="bad">{texts.claimFailed(claim.message)}</Notice>
        </li>
      )}
    </>
  );
}

interface TransferProps {
  readonly batch: Batch;
  readonly transfer: Transfer;
}

function TransferItem({ batch, transfer }: TransferProps): JSX.Element {
  const { attempt, file, state } = transfer;
  const texts = t.value.uploadPanel;
  const { kind } = state.value;
  return (
    <li class="transfer">
      <bdi class="transfer-name">{file.name}</bdi>
      <Bytes value={file.size} />
      <div class="transfer-state">
        <Progress name={file.name} state={state.value} />
        {attempt.value > 1 && <p class="muted">{texts.attempt(attempt.value)}</p>}
      </div>
      <div class="transfer-actions">
        {isOpen(state.value) && (
          <button
            type="button"
            class="quiet"
            aria-label={`${texts.stop}: ${file.name}`}
            onClick={() => {
              transfer.stop();
            }}
          >
            {texts.stop}
          </button>
        )}
        {state.value.kind === 'stored' && state.value.upload.state === 'stored' && (
          <ClaimButton name={file.name} uploadKey={state.value.upload.key} />
        )}
        {(kind === 'failed' || kind === 'stopped') && (
          <button
            type="button"
            class="quiet"
            aria-label={`${texts.retry}: ${file.name}`}
            onClick={() => {
              retry(transfer, batch);
            }}
          >
            {texts.retry}
          </button>
        )}
      </div>
    </li>
  );
}

function Progress({
  name,
  state,
}: {
  readonly name: string;
  readonly state: TransferState;
}): JSX.Element {
  const texts = t.value.uploadPanel;
  switch (state.kind) {
    case 'waiting':
      return <p class="muted">{texts.waiting}</p>;
    case 'sending':
    case 'finishing': {
      const text = describeProgress(state);
      return (
        <>
          <progress
            aria-label={name}
            aria-valuetext={text}
            max={1}
            value={state.kind === 'sending' ? state.sent / Math.max(state.total, 1) : 1}
          />
          <p class="muted number">{text}</p>
        </>
      );
    }
    case 'interrupted':
      return <p class="transfer-interrupted">{texts.interrupted}</p>;
    case 'stored':
      return <Stored state={state} />;
    case 'failed':
      return (
        <p class="transfer-failed" role="alert">
          <strong>{texts.failed}</strong>: {state.message}{' '}
          {state.requestId !== undefined && (
            <a href={hrefOf('refusals', state.requestId)}>{texts.why}</a>
          )}
        </p>
      );
    case 'stopped':
      return <p class="muted">{texts.stopped}</p>;
  }
}

function describeProgress(state: TransferState): string {
  const texts = t.value.uploadPanel;
  if (state.kind !== 'sending') return texts.finishing;
  const { left, perSecond, sent, total } = state;
  const percent = new Intl.NumberFormat(language.value, { style: 'percent' });
  return [
    texts.sending(percent.format(sent / Math.max(total, 1))),
    ...(perSecond === undefined ? [] : [texts.perSecond(formatBytes(perSecond, language.value))]),
    ...(left === undefined ? [] : [texts.left(formatDuration(left))]),
  ].join(' · ');
}

function Stored({
  state: { upload },
}: {
  readonly state: Extract<TransferState, { kind: 'stored' }>;
}): JSX.Element {
  const { claimUntil, key, md5 } = upload;
  const texts = t.value.uploadPanel;
  return (
    <p class="row">
      <State state={upload.state} />
      {upload.state === 'stored' && claimUntil !== undefined && (
        <span class="number">
          {texts.purgedIn(formatCountdown(Date.parse(claimUntil) - gatewayClock.now))}
        </span>
      )}
      <a href={hrefOf('uploads', key)}>MD5 {md5}</a>
    </p>
  );
}
