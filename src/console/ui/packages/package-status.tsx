import type { JSX } from 'preact';
import type { PackageShape } from '../../../operator/package-shapes.ts';
import { t } from '../text/text.ts';

/** How far the verification of a package is. */
export function PackageStatus({
  of: { status, verifyProgress },
}: {
  readonly of: PackageShape;
}): JSX.Element {
  const { progress, statuses } = t.value.packages;
  return (
    <span>
      {statuses[status]}
      {status === 'verifying' && ` ${progress(verifyProgress)}`}
    </span>
  );
}
