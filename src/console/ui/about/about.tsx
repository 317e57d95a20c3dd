import type { JSX } from 'preact';
import type { AboutShape } from '../../../operator/shapes.ts';
import { inBackground } from '../lib/background.ts';
import { gatewayClock } from '../lib/clock.ts';
import { formatBytes, formatDuration, formatNumber, formatTime } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { overview } from '../overview.ts';
import { Facts } from '../parts/facts.tsx';
import { LimitUse } from '../parts/limit-use.tsx';
import { ErrorNotice, Loading } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { Bytes, Time } from '../parts/values.tsx';
import { session } from '../session.ts';
import { t } from '../text/text.ts';
import { TestControls } from './test-controls.tsx';

/** The gateway, its clock and its limits. */
export function About(): JSX.Element {
  const about = overview.value.value;
  const error = overview.error.value;
  return (
    <Screen title={t.value.shell.screens.about}>
      {error && (
        <ErrorNotice
          error={error}
          retry={() => {
            inBackground(overview.read());
          }}
        />
      )}
      {about === undefined && !error && <Loading />}
      {about && (
        <>
          <Gateway about={about} />
          <Limits about={about} />
          {about.testMode && <TestControls />}
        </>
      )}
    </Screen>
  );
}

function Gateway({ about }: { readonly about: AboutShape }): JSX.Element {
  const texts = t.value.about;
  const { account, bucket, publicUrl, version } = about;
  const present = session.value;
  const id = account.operator ? `${account.id} (${t.value.shell.operator})` : account.id;
  return (
    <section class="card">
      <Facts
        facts={[
          [texts.version, version],
          [texts.publicUrl, publicUrl ?? texts.noPublicUrl],
          [texts.bucket, bucket],
          [texts.account, id],
          [texts.accessKey, present?.accessKeyId],
          [texts.signedInUntil, present && <Time key="until" iso={present.expiresAt} />],
          [texts.clock, formatTime(new Date(gatewayClock.now).toISOString(), language.value)],
          [texts.difference, describeDifference(gatewayClock.offset)],
        ]}
      />
      <p class="muted">{texts.clockHint}</p>
    </section>
  );
}

function describeDifference(offset: number): string {
  const texts = t.value.about;
  if (Math.abs(offset) < 1000) return texts.same;
  const time = formatDuration(Math.abs(offset));
  return offset > 0 ? texts.ahead(time) : texts.behind(time);
}

function Limits({ about: { limits, used } }: { readonly about: AboutShape }): JSX.Element {
  const texts = t.value.about;
  const number = (value: number): string => formatNumber(value, language.value);
  return (
    <section class="card">
      <h2>{texts.limits}</h2>
      <Facts
        facts={[
          [texts.maxUpload, <Bytes key="max" value={limits.maxUpload} />],
          [texts.policyTtl, formatDuration(limits.policyTtl)],
          [texts.claimTtl, formatDuration(limits.claimTtl)],
          [texts.tombstones, formatDuration(limits.tombstoneRetention)],
          [texts.packages, number(limits.maxPackages)],
          [
            texts.uploads,
            <LimitUse
              key="uploads"
              name={texts.uploads}
              used={used.uploads}
              limit={limits.maxUploads}
              format={number}
            />,
          ],
          [
            texts.bytes,
            <LimitUse
              key="bytes"
              name={texts.bytes}
              used={used.bytes}
              limit={limits.maxBytes}
              format={(value) => formatBytes(value, language.value)}
            />,
          ],
        ]}
      />
    </section>
  );
}
