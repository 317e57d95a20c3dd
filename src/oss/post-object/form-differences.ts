import type { MetDifference } from '../fidelity.ts';
import type { ParameterizedHeader } from './header-parameters.ts';
import { MAX_NAME_BYTES } from './part-headers.ts';
import type { PartHeaders } from './part-headers.ts';

/** @returns whether a request's Content-Type has its boundary in quotes */
export function isBoundaryQuoted(contentType: string | undefined): boolean {
  return /;\s*boundary\s*=\s*"/i.test(contentType ?? '');
}

/** @returns whether OSS accepts the headers of a part in their order */
export function beginsWithDisposition(headers: PartHeaders): boolean {
  const [first] = headers.keys();
  return first === 'content-disposition';
}

/** The parts of a form up to the file, whose part it describes. */
interface FormOutline {
  /** Whether all parts begin with Content-Disposition. */
  readonly isInOrder: boolean;
  readonly headers: PartHeaders;
  readonly disposition: ParameterizedHeader;
  /** Of the file in bytes; undefined when it is not announced. */
  readonly announcedSize: number | undefined;
}

/** @returns what OSS refuses in the parts of a form, see `DIFFERENCES` */
export function findDifferences(form: FormOutline): MetDifference[] {
  const { announcedSize, disposition, headers, isInOrder } = form;
  const differences: MetDifference[] = isInOrder ? [] : [{ code: 'PartHeaderOrder' }];
  if (disposition.parameters.has('filename*')) {
    const elements = {
      MaxSizeAllowed: String(MAX_NAME_BYTES),
      ...(announcedSize !== undefined && { ProposedSize: String(announcedSize) }),
    };
    differences.push({ code: 'ExtendedFilename', elements });
  }
  if (/^\s*multipart\//i.test(headers.get('content-type')?.[0] ?? '')) {
    differences.push({ code: 'FilePartMultipart' });
  }
  const other = findOtherHeader(headers);
  if (other !== undefined) {
    const elements = { ArgumentName: other, ArgumentValue: headers.get(other)?.[0] ?? '' };
    differences.push({ code: 'FilePartHeader', elements });
  }
  return differences;
}

/** Encodings that leave the file as it is, so that a client may announce them. */
const IDENTITY_ENCODING = /^(?:7bit|8bit|binary)$/i;

/** @returns the first header that OSS does not know in its place */
function findOtherHeader(headers: PartHeaders): string | undefined {
  const [next, ...others] = [...headers.keys()].filter((name) => name !== 'content-disposition');
  if (next !== 'content-type') return next;
  return others.find((name) => {
    const encoding = headers.get(name)?.[0] ?? '';
    const isHarmless = name === 'content-transfer-encoding' && IDENTITY_ENCODING.test(encoding);
    return name !== 'content-length' && !isHarmless;
  });
}
