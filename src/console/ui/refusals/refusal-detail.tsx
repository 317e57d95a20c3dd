import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { formatExplained } from '../../../operator/explain/story-text.ts';
import type { ExplainedShape, RefusalShape } from '../../../operator/shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { gatewayClock } from '../lib/clock.ts';
import { keepFresh } from '../lib/live.ts';
import { createResource } from '../lib/resource.ts';
import { hrefOf } from '../lib/route.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Facts } from '../parts/facts.tsx';
import { Empty, ErrorNotice, Loading } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { Clocks } from './clocks.tsx';
import { Compared } from './compared.tsx';
import { UploadLink } from './refusal-list.tsx';
import { Story } from './story.tsx';
import { nameReason } from './reason-name.ts';

/** Why one request was refused. */
export function RefusalDetail({ id }: { readonly id: string }): JSX.Element {
  const resource = useMemo(
    () =>
      createResource((signal) =>
        callApi<ExplainedShape>(`refusals/${encodeURIComponent(id)}`, { signal }),
      ),
    [],
  );
  const read = (): void => {
    inBackground(resource.read());
  };
  // A record never changes, except for the count of its repeats.
  useEffect(() => keepFresh([], read), []);
  const error = resource.error.value;
  const found = resource.value.value;
  if (error?.status === 404) return <Missing />;
  const { copyText, reasons } = t.value.refusals;
  return (
    <Screen
      title={found ? nameReason(found.refusal.reason, reasons) : t.value.shell.screens.refusals}
      actions={
        found && (
          <CopyButton
            text={() => formatExplained(found, gatewayClock.now)}
            label={copyText}
            caption={copyText}
          />
        )
      }
    >
      {error && <ErrorNotice error={error} retry={read} />}
      {found === undefined && !error && <Loading />}
      {found && (
        <>
          <Story story={found.story} />
          {found.story.compare && <Compared compared={found.story.compare} />}
          {found.story.clocks && <Clocks clocks={found.story.clocks} />}
          <RequestFacts of={found.refusal} />
        </>
      )}
    </Screen>
  );
}

function Missing(): JSX.Element {
  const title = t.value.shell.screens.refusals;
  return (
    <Screen title={title}>
      <Empty>
        {t.value.refusals.missing}
        <a href={hrefOf('refusals')}>{title}</a>
      </Empty>
    </Screen>
  );
}

function RequestFacts({ of }: { readonly of: RefusalShape }): JSX.Element {
  const { details, facts, reasons, repeated } = t.value.refusals;
  return (
    <section class="card">
      <h2>{details}</h2>
      <Facts
        facts={[
          [facts.id, <Copied key="id" text={of.requestId} label={facts.id} />],
          [facts.time, <Time key="time" iso={of.at} />],
          [facts.repeats, of.repeats === 0 ? undefined : repeated(of.repeats)],
          [facts.reason, `${nameReason(of.reason, reasons)} (${of.reason})`],
          [facts.code, <code key="code">{of.code}</code>],
          [facts.ec, of.ec && <code key="ec">{of.ec}</code>],
          [facts.status, of.status],
          [facts.operation, of.operation && <bdi key="operation">{of.operation}</bdi>],
          [facts.account, of.account],
          [facts.accessKey, of.accessKeyId && <bdi key="access">{of.accessKeyId}</bdi>],
          [facts.key, of.key && <UploadLink key="key" of={of.key} />],
          [facts.peer, of.peer],
          [facts.agent, of.agent && <bdi key="agent">{of.agent}</bdi>],
          [facts.trace, of.traceId && <Copied key="t" text={of.traceId} label={facts.trace} />],
        ]}
      />
    </section>
  );
}

function Copied({ label, text }: { readonly label: string; readonly text: string }): JSX.Element {
  return (
    <>
      <code>{text}</code> <CopyButton text={text} label={label} />
    </>
  );
}
