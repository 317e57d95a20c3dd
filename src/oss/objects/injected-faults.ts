import { spoilFile } from '../../faults/connection-faults.ts';
import type { Fault, FaultPlan } from '../../faults/fault-plan.ts';
import { ossV1StringToSign, parseAuthorizationOssV1 } from '../../signatures/oss-v1.ts';
import type { StoredObject } from '../../uploads/upload.ts';
import { signatureDoesNotMatch } from '../auth/signed-request.ts';
import type { SignatureMismatch } from '../auth/signed-request.ts';
import { argument } from '../errors.ts';
import type { ErrorElements, OssErrorCode } from '../errors.ts';
import { keyText } from '../flat-xml.ts';
import { beginFault, breakBeforeFile, connectionBroken, takeFault } from '../injected-faults.ts';
import type { ObjectRequest } from '../oss-request.ts';
import type { AuthorizeDelete } from './delete-object.ts';
import type { Deliver, Read, SentBody } from './get-object.ts';
import type { AuthorizePut } from './put-object.ts';

/** Injects the faults of a plan into authorized PutObject requests; they break the file that is received. */
export function withPutFaults(plan: FaultPlan, authorize: AuthorizePut): AuthorizePut {
  return async (request) => {
    const command = await authorize(request);
    const fault = takeFault(plan, 'PutObject', request.key);
    if (fault === undefined) return command;
    const { raw } = request;
    await beginFault(fault, raw, usualElements(request));
    return { ...command, bytes: spoilFile(raw, command.bytes, fault, connectionBroken) };
  };
}

/** Injects the faults of a plan into authorized DeleteObject requests. */
export function withDeleteFaults(plan: FaultPlan, authorize: AuthorizeDelete): AuthorizeDelete {
  return async (request) => {
    await authorize(request);
    const fault = takeFault(plan, 'DeleteObject', request.key);
    if (fault === undefined) return;
    await beginFault(fault, request.raw, usualElements(request));
    await breakBeforeFile(fault, request.raw);
  };
}

/**
 * Injects the faults of a plan into GetObject and HeadObject requests that have passed every check; they break the file
 * that is sent.
 */
export function withReadFaults(plan: FaultPlan, deliver: Deliver): Deliver {
  // A request whose body was replaced in between is delivered twice.
  const taken = new WeakMap<ObjectRequest, Fault>();
  return async (read, object, part) => {
    const { request } = read;
    const operation = request.method === 'HEAD' ? 'HeadObject' : 'GetObject';
    const fault = taken.get(request) ?? takeFault(plan, operation, request.key);
    if (fault === undefined) return deliver(read, object, part);
    taken.set(request, fault);
    await beginFault(fault, request.raw, usualElements(request, object));
    if (!breaksInside(fault)) await breakBeforeFile(fault, request.raw);
    return deliver(breaksInside(fault) ? withSpoiledBody(read, fault) : read, object, part);
  };
}

/** @returns whether the fault breaks a file after its first byte, so that the response has begun */
function breaksInside(fault: Fault): boolean {
  return (
    fault.kind === 'slow' || ((fault.kind === 'reset' || fault.kind === 'stall') && fault.after > 0)
  );
}

function withSpoiledBody(read: Read, fault: Fault): Read {
  const { deps, request } = read;
  const { store, ...uploads } = deps.uploads;
  const spoiled = {
    stat: (locator: string) => store.stat(locator),
    open: async (...body: Parameters<typeof store.open>): Promise<SentBody | undefined> => {
      const opened = await store.open(...body);
      return opened && spoilFile(request.raw, opened, fault, connectionBroken);
    },
  };
  return { ...read, deps: { ...deps, uploads: { ...uploads, store: spoiled } } };
}

/** @returns the elements that a real refusal of this request has, where the request has their values */
function usualElements(
  request: ObjectRequest,
  object?: StoredObject,
): (code: OssErrorCode) => ErrorElements {
  const { bucket, headers, key } = request;
  const provided = presentedSignature(request);
  const usual: Partial<Record<OssErrorCode, ErrorElements>> = {
    NoSuchKey: { Key: keyText(key) },
    NoSuchBucket: { BucketName: bucket },
    InvalidAccessKeyId: { OSSAccessKeyId: provided.accessKeyId },
    SignatureDoesNotMatch: signatureDoesNotMatch('v1', provided).elements,
    InvalidArgument: argument('key', keyText(key)),
    PreconditionFailed: { Condition: 'If-Match' },
    InvalidRange: {
      ActualObjectSize: String(object?.size ?? 0),
      RangeRequested: headers.get('range') ?? '',
    },
    EntityTooLarge: { ProposedSize: headers.get('content-length') ?? '0' },
  };
  return (code) => usual[code] ?? {};
}

/** @returns the signature of version 1; with empty texts for any other one */
function presentedSignature(request: ObjectRequest): SignatureMismatch {
  const { headers, query } = request;
  const header = parseAuthorizationOssV1(headers.get('authorization') ?? '');
  const date = headers.get('x-oss-date') ?? headers.get('date') ?? '';
  return {
    accessKeyId: query.get('OSSAccessKeyId') ?? header?.accessKeyId ?? '',
    provided: query.get('Signature') ?? header?.signature ?? '',
    stringToSign: ossV1StringToSign(request, query.get('Expires') ?? date),
  };
}
