import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { OpenRecord } from '../http/request-record.ts';
import { readTarget } from '../http/request-target.ts';
import type { SignableRequest } from '../signatures/signable-request.ts';
import { findAddresses } from './object-address.ts';
import type { ObjectAddress, ObjectAddresses } from './object-address.ts';

/** Method, addresses, query and headers of a request to the OSS host, parsed once. */
export interface ParsedRequest extends SignableRequest {
  readonly addresses: ObjectAddresses;
  /** Decoded. For a repeated parameter, the first value. */
  readonly query: ReadonlyMap<string, string>;
  /** Whether the query has more parameters than are in `query`. */
  readonly hasTooManyParameters: boolean;
}

/** A request to the OSS host. */
export interface OssRequest extends ParsedRequest {
  readonly id: string;
  /** By the wall clock, in Unix milliseconds. */
  readonly receivedAt: number;
  readonly raw: IncomingMessage;
  /** What is logged of it. */
  readonly record: OpenRecord;
}

/** A request for an object. */
export interface ObjectRequest extends OssRequest {
  readonly key: string;
}

/** @returns undefined when the address is not that of an object */
export function keyOf(address: ObjectAddress): string | undefined {
  return address.kind === 'object' ? address.key : undefined;
}

/**
 * Parses everything before the body. Never throws: the operations refuse what is invalid.
 * @param publicName - the host name of the public URL
 */
export function parseRequest(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  bucket: string,
  publicName?: string,
): ParsedRequest {
  const target = readTarget(request);
  const addresses = findAddresses(target, bucket, publicName);
  return {
    method: request.method ?? 'GET',
    addresses,
    bucket,
    key: keyOf(addresses.at(-1) ?? addresses[0]),
    query: target.query,
    hasTooManyParameters: target.hasTooManyParameters,
    headers: readHeaders(request.headers),
  };
}

const NOT_ASCII = /[\x80-\xff]/;

/** Decodes UTF-8, which SDKs send and sign; Node reads each byte as one character. */
function readHeaders(headers: IncomingMessage['headers']): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).map(([name, value = '']) => {
      const characters = Array.isArray(value) ? value.join(',') : value;
      if (!NOT_ASCII.test(characters)) return [name, characters];
      const bytes = Buffer.from(characters, 'latin1');
      return [name, isUtf8(bytes) ? bytes.toString('utf8') : characters];
    }),
  );
}
