import type { FaultableOperation } from '../faults/fault-spec.ts';
import { OSS_ERROR_CODES } from './errors.ts';
import type { OssErrorCode } from './errors.ts';

/** What every request for an object can be refused with. */
const ANY_OBJECT = [
  ...(['AccessDenied', 'InternalError', 'InvalidAccessKeyId', 'InvalidArgument'] as const),
  ...(['InvalidObjectName', 'NoSuchBucket', 'NotImplemented', 'RequestTimeTooSkewed'] as const),
  ...(['SecondLevelDomainForbidden', 'ServiceUnavailable', 'SignatureDoesNotMatch'] as const),
] as const;

const HEAD_OBJECT = [...ANY_OBJECT, 'InvalidRequest', 'NoSuchKey', 'PreconditionFailed'] as const;

const GET_OBJECT = [...HEAD_OBJECT, 'InvalidRange'] as const;

const PUT_OBJECT = [
  ...ANY_OBJECT,
  ...(['EntityTooLarge', 'FileAlreadyExists', 'FileImmutable', 'IncompleteBody'] as const),
  ...(['InvalidDigest', 'InvalidEncryptionAlgorithmError', 'MissingContentLength'] as const),
  'RequestTimeout',
] as const;

const DELETE_OBJECT = [...ANY_OBJECT, 'FileImmutable'] as const;

/** The operations of the OSS host that can fail on purpose, and the codes of each. */
export interface OssFaultCodes {
  PostObject: OssErrorCode;
  GetObject: (typeof GET_OBJECT)[number];
  HeadObject: (typeof HEAD_OBJECT)[number];
  PutObject: (typeof PUT_OBJECT)[number];
  DeleteObject: (typeof DELETE_OBJECT)[number];
}

/** An operation of the OSS host that can fail on purpose. */
export type OssFaultOperation = keyof OssFaultCodes;

interface OssFaultable<Code extends OssErrorCode> extends FaultableOperation {
  readonly codes: readonly Code[];
}

const OPERATIONS: { readonly [Name in OssFaultOperation]: OssFaultable<OssFaultCodes[Name]> } = {
  PostObject: { codes: OSS_ERROR_CODES, hasFile: true, hasKey: true },
  GetObject: { codes: GET_OBJECT, hasFile: true, hasKey: true },
  HeadObject: { codes: HEAD_OBJECT, hasFile: false, hasKey: true },
  PutObject: { codes: PUT_OBJECT, hasFile: true, hasKey: true },
  DeleteObject: { codes: DELETE_OBJECT, hasFile: false, hasKey: true },
};

/** @returns every operation of the OSS host that can fail on purpose */
export function faultableOperations(): ReadonlyMap<string, FaultableOperation> {
  return new Map(Object.entries(OPERATIONS));
}
