import type { JSX } from 'preact';
import { CopyButton } from '../parts/copy-button.tsx';
import { Facts } from '../parts/facts.tsx';
import type { Fact } from '../parts/facts.tsx';
import { Bytes, Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { PackageLink } from './columns.tsx';
import type { UploadShape } from '../../../operator/upload-shapes.ts';

/** What is known of an upload, beside its steps. */
export function UploadFacts({ upload }: { readonly upload: UploadShape }): JSX.Element {
  const { shell, uploads: texts } = t.value;
  const { contentType, headers = {}, policyExpiresAt, purgeReason, size } = upload;
  const others = Object.entries(headers).filter(
    ([name]) => name !== 'content-type' || contentType === undefined,
  );
  const facts: readonly Fact[] = [
    [
      texts.size,
      size !== undefined && (
        <>
          <Bytes value={size} /> {size >= 1024 && <span class="muted">{`${String(size)} B`}</span>}
        </>
      ),
    ],
    ['MD5', copied('MD5', upload.md5)],
    ['SHA-256', copied('SHA-256', upload.sha256)],
    ['CRC-64', copied('CRC-64', upload.crc64)],
    [texts.contentType, contentType !== undefined && <bdi>{contentType}</bdi>],
    [texts.headers, others.length > 0 && <Headers headers={others} />],
    [texts.body, upload.body !== undefined && <code>{upload.body}</code>],
    [texts.package, upload.firmwareId !== undefined && <PackageLink upload={upload} />],
    [texts.purgeReason, purgeReason && shell.purgeReasons[purgeReason]],
    [texts.account, upload.accountId],
    [texts.from, upload.peer],
    [texts.formExpires, policyExpiresAt !== undefined && <Time iso={policyExpiresAt} />],
  ];
  return <Facts facts={facts.filter(([, value]) => value !== false)} />;
}

function copied(label: string, text: string | undefined): JSX.Element | undefined {
  if (text === undefined) return undefined;
  return (
    <>
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </>
  );
}

function Headers({
  headers,
}: {
  readonly headers: readonly (readonly [string, string])[];
}): JSX.Element {
  return (
    <ul class="keys">
      {headers.map(([name, value]) => (
        <li key={name}>
          <code>
            {name}: <bdi>{value}</bdi>
          </code>
        </li>
      ))}
    </ul>
  );
}
