import { isUtf8 } from 'node:buffer';
import { COST, GrowingBuffer } from '../../http/growing-buffer.ts';
import type { MemoryShare } from '../../http/memory-budget.ts';
import { watchBytes } from '../../lib/watched-bytes.ts';
import { argument, hint, ossError } from '../errors.ts';
import type { ErrorElements, OssError } from '../errors.ts';
import type { MetDifference } from '../fidelity.ts';
import { KEY_AND_AUTH_FIELDS, quote } from '../fields.ts';
import type { FormFields } from '../fields.ts';
import { beginsWithDisposition, findDifferences } from './form-differences.ts';
import {
  decodeExtendedValue,
  decodeFilename,
  decodeUtf8,
  parseParameters,
} from './header-parameters.ts';
import type { ParameterizedHeader } from './header-parameters.ts';
import { formParts } from './multipart.ts';
import type { FormPart } from './multipart.ts';
import { MAX_NAME_BYTES } from './part-headers.ts';
import type { PartHeaders } from './part-headers.ts';

/** A form that is read up to its file. */
export interface PostForm {
  readonly fields: FormFields;
  readonly file: FormFile;
  /** What OSS would treat differently in the headers of its parts. */
  readonly differences: readonly MetDifference[];
}

/** The file of a form. */
export interface FormFile {
  readonly filename: string | undefined;
  /** Content-Type of the part; empty when the part has none. */
  readonly contentType: string;
  /**
   * In bytes, according to Content-Length; more than the real size if parts follow the file. Undefined for a chunked
   * body.
   */
  readonly announcedSize: number | undefined;
  /** Ends after the rest of the form is read and checked. Throws OssError when the rest is invalid. */
  readonly bytes: AsyncIterable<Buffer>;
}

/** OSS's own limits (PostObject page, pages of the error codes 0006-00000110 and -112), in bytes. */
const LIMITS = {
  name: MAX_NAME_BYTES,
  value: 2 * 1024 * 1024,
  valuesBeforeFile: 8 * 1024 * 1024,
  /** Ours: OSS documents no number of parts. */
  parts: 1000,
  /** Ours: all values after the file. */
  trailers: 64 * 1024,
} as const;

/**
 * Reads a form up to its file. Recognizes the file only by its name `file`, because clients send files without a file
 * name or type, and fields with both.
 *
 * @param contentLength - of the request
 * @param share - counts the memory of the fields
 * @param fields - receives the fields, also those of a form that is refused
 * @throws OssError for a form that is malformed, too large, or has no file; BudgetExhausted
 */
export async function readForm(
  body: AsyncIterable<Buffer>,
  boundary: string,
  contentLength: number | undefined,
  share: MemoryShare,
  fields = new Map<string, string>(),
): Promise<PostForm> {
  const parts = formParts(body, boundary);
  const value = new GrowingBuffer(share, LIMITS.value);
  let isInOrder = true;
  let valueBytes = 0;
  for (let count = 1; count <= LIMITS.parts; count += 1) {
    const next = await parts.next();
    if (next.done === true) throw withoutFile(fields);
    const part = next.value;
    const { disposition, name } = readDisposition(part.headers);
    isInOrder &&= beginsWithDisposition(part.headers);
    if (isFile(name)) {
      // Subtract the closing boundary, its dashes and its line breaks.
      const announcedSize = contentLength && contentLength - part.offset - boundary.length - 8;
      const contentType = decodeUtf8(part.headers.get('content-type')?.[0] ?? '').trim();
      const filename = readFilename(disposition);
      const bytes = watchBytes(part.body, { onEnd: () => readTrailers(parts) });
      const { headers } = part;
      return {
        fields,
        file: { filename, contentType, announcedSize, bytes },
        differences: findDifferences({ isInOrder, headers, disposition, announcedSize }),
      };
    }
    await readValue(part, value, LIMITS.valuesBeforeFile - valueBytes);
    valueBytes += value.length;
    await share.grow(COST * (name.length + value.length));
    addField(fields, name, value.bytes());
    value.clear();
  }
  throw tooManyParts();
}

/** Names the parts that there are: a client may have given its file another name. */
function withoutFile(fields: FormFields): OssError {
  const names = [...fields.keys()].slice(0, MAX_SHOWN_NAMES).join(', ');
  const elements = hint(`no part is named file; the parts of the form are: ${quote(names)}`);
  return ossError('IncorrectNumberOfFilesInPOSTRequest', { elements });
}

const MAX_SHOWN_NAMES = 32;

function addField(fields: Map<string, string>, name: string, value: Buffer): void {
  const text = value.toString('utf8');
  // An error does not repeat a token or a signature.
  const quoted = KEY_AND_AUTH_FIELDS.has(name.toLowerCase()) ? '' : quote(text);
  const options = { values: { field: name }, elements: argument(name, quoted) };
  if (fields.has(name.toLowerCase())) {
    throw ossError('InvalidArgument.fieldTwice', options);
  }
  // Other fields, such as a submit button, may have any charset; OSS reads these as UTF-8.
  if (!isUtf8(value) && UTF8_FIELDS.test(name)) {
    throw ossError('InvalidArgument.fieldNotUtf8', options);
  }
  fields.set(name.toLowerCase(), text);
}

const UTF8_FIELDS =
  /^(?:key|policy|signature|ossaccesskeyid|callback|success_action_.*|cache-control|content-.*|expires|x-oss-.*|x:.*)$/i;

/** Reads the value of a field. @param allowed - bytes that are left for values */
async function readValue(part: FormPart, value: GrowingBuffer, allowed: number): Promise<void> {
  for await (const chunk of part.body) {
    const size = value.length + chunk.length;
    if (size > LIMITS.value) {
      // The rest of the value is not read, so the proposed size is a lower bound.
      throw ossError('FieldItemTooLong.value', {
        elements: sizes(LIMITS.value, LIMITS.value + 1),
      });
    }
    if (size > allowed) {
      const { valuesBeforeFile: max } = LIMITS;
      throw ossError('MaxPOSTPreDataLengthExceededError', { elements: sizes(max, max + 1) });
    }
    await value.append(chunk);
  }
}

/**
 * Reads the parts after the file. Refuses {@link KEY_AND_AUTH_FIELDS} there, and ignores other fields: all samples of
 * OSS have a `submit` field there.
 */
async function readTrailers(parts: AsyncIterable<FormPart>): Promise<void> {
  let count = 0;
  let bytes = 0;
  for await (const part of parts) {
    const { name } = readDisposition(part.headers);
    if (isFile(name)) {
      const elements = hint('a second part is named file');
      throw ossError('IncorrectNumberOfFilesInPOSTRequest.second', { elements });
    }
    if (KEY_AND_AUTH_FIELDS.has(name.toLowerCase())) {
      const elements = hint(`the field ${name} comes after the file`);
      throw ossError('MalformedPOSTRequest.fieldOrder', { elements });
    }
    count += 1;
    if (count > LIMITS.parts) throw tooManyParts();
    for await (const chunk of part.body) {
      bytes += chunk.length;
      if (bytes > LIMITS.trailers) {
        const elements = hint('the fields after the file are too long');
        throw ossError('MalformedPOSTRequest.fieldOrder', { elements });
      }
    }
  }
}

function isFile(name: string): boolean {
  return name.toLowerCase() === 'file';
}

const LINE_BREAK = /[\r\n]/;

/** @throws OssError when the part has no `Content-Disposition: form-data` with a name */
function readDisposition(headers: PartHeaders): { disposition: ParameterizedHeader; name: string } {
  const [header, ...others] = headers.get('content-disposition') ?? [];
  const disposition = header === undefined ? undefined : parseParameters(header, 'name');
  const name = disposition?.parameters.get('name');
  if (disposition?.value !== 'form-data' || !name || others.length > 0 || LINE_BREAK.test(name)) {
    const elements = hint('a part has no "Content-Disposition: form-data" with a name');
    throw ossError('MalformedPOSTRequest.partHeader', { elements });
  }
  if (name.length > LIMITS.name) {
    throw ossError('FieldItemTooLong', { elements: sizes(LIMITS.name, name.length) });
  }
  return { disposition, name: decodeUtf8(name) };
}

function readFilename({ parameters }: ParameterizedHeader): string | undefined {
  const plain = parameters.get('filename');
  const extended = decodeExtendedValue(parameters.get('filename*') ?? '');
  return extended ?? (plain === undefined ? undefined : decodeFilename(plain));
}

function sizes(allowed: number, proposed: number): ErrorElements {
  return { MaxSizeAllowed: String(allowed), ProposedSize: String(proposed) };
}

function tooManyParts(): OssError {
  return ossError('MalformedPOSTRequest.tooManyParts', {
    values: { maximum: String(LIMITS.parts) },
  });
}
