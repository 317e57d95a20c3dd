import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { PackageShape } from '../../../operator/package-shapes.ts';
import { callApi } from '../lib/api.ts';
import { inBackground } from '../lib/background.ts';
import { keepFresh } from '../lib/live.ts';
import { createResource } from '../lib/resource.ts';
import { hrefOf } from '../lib/route.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { Facts } from '../parts/facts.tsx';
import { Empty, ErrorNotice, Loading } from '../parts/notice.tsx';
import { Screen } from '../parts/screen.tsx';
import { Table } from '../parts/table.tsx';
import type { Column } from '../parts/table.tsx';
import { Bytes, Time } from '../parts/values.tsx';
import { t } from '../text/text.ts';
import { DeviceMessage } from './device-message.tsx';
import { DownloadLinks } from './download-links.tsx';
import { PackageStatus } from './package-status.tsx';
import { RemoveButton } from './remove-package.tsx';
import './packages.css';

/** One firmware package. */
export function PackageDetail({ id }: { readonly id: string }): JSX.Element {
  const path = `packages/${encodeURIComponent(id)}`;
  const resource = useMemo(
    () => createResource((signal) => callApi<PackageShape>(path, { signal })),
    [],
  );
  useEffect(
    () =>
      keepFresh(['package'], () => {
        inBackground(resource.read());
      }),
    [],
  );
  const found = resource.value.value;
  const error = resource.error.value;
  if (error?.status === 404) return <Missing />;
  return (
    <Screen title={found?.name ?? id} actions={found && <RemoveButton found={found} path={path} />}>
      {error && <ErrorNotice error={error} />}
      {found === undefined && !error && <Loading />}
      {found && (
        <>
          <PackageFacts of={found} />
          <Table
            caption={t.value.packages.files}
            columns={fileColumns()}
            items={found.files}
            keyOf={({ key }) => key}
          />
          <DownloadLinks path={path} />
          <DeviceMessage path={path} />
        </>
      )}
    </Screen>
  );
}

function Missing(): JSX.Element {
  const title = t.value.shell.screens.packages;
  return (
    <Screen title={title}>
      <Empty>
        {t.value.packages.missing}
        <a href={hrefOf('packages')}>{title}</a>
      </Empty>
    </Screen>
  );
}

function PackageFacts({ of }: { readonly of: PackageShape }): JSX.Element {
  const { facts } = t.value.packages;
  return (
    <section class="card">
      <Facts
        facts={[
          [facts.id, <Copied key="id" text={of.firmwareId} label={facts.id} />],
          [facts.version, <bdi key="version">{of.version}</bdi>],
          [facts.from, of.srcVersion],
          [facts.module, of.moduleName],
          [facts.product, of.productKey],
          [facts.instance, of.instanceId],
          [facts.account, of.accountId],
          [facts.status, <PackageStatus key="status" of={of} />],
          [facts.signMethod, of.signMethod],
          [facts.description, of.description],
          [facts.created, <Time key="created" iso={of.createdAt} />],
          [facts.modified, <Time key="modified" iso={of.modifiedAt} />],
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

type File = PackageShape['files'][number];

function fileColumns(): Column<File>[] {
  const { file } = t.value.packages;
  const name = (each: File): string => each.name ?? each.key.slice(each.key.lastIndexOf('/') + 1);
  return [
    { id: 'name', label: file.name, isHeader: true, cell: (each) => <bdi>{name(each)}</bdi> },
    { id: 'size', label: file.size, isNumeric: true, cell: ({ size }) => <Bytes value={size} /> },
    {
      ...{ id: 'md5', label: file.md5 },
      cell: ({ md5 }) => <Copied text={md5} label={file.md5} />,
    },
    {
      ...{ id: 'sign', label: file.sign },
      cell: ({ sign }) => <Copied text={sign} label={file.sign} />,
    },
    {
      ...{ id: 'key', label: file.key },
      cell: ({ key }) => (
        <a href={hrefOf('uploads', key)}>
          <bdi>{key}</bdi>
        </a>
      ),
    },
  ];
}
