import type { GatewayError } from '../errors.ts';
import type { ResponseFormat } from '../render.ts';
import type { Pairs } from './pairs.ts';

/**
 * The parameters of every call; each signature version sends them in its own place. An empty value counts as absent.
 */
export interface CommonParameters {
  readonly version: string | undefined;
  readonly action: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly timestamp: string | undefined;
  readonly nonce: string | undefined;
  readonly securityToken: string | undefined;
}

/** A signature that can be verified. */
export interface PresentedSignature {
  /** As it was sent. */
  readonly provided: string;
  /** Of the call as it was received. */
  readonly stringToSign: string;
  /** @returns whether the secret of an access key made the signature */
  readonly isMadeWith: (secret: string) => boolean;
  /** Why the signature may not match: sentences, each with a space; empty when that is not known. */
  readonly hint: string;
}

/** A call, read by its signature version. */
export interface SignedCall {
  readonly common: CommonParameters;
  /** The format of the response; undefined when the call asks for one that does not exist. */
  readonly format: ResponseFormat | undefined;
  /** The format of a refusal when `format` is undefined. */
  readonly fallbackFormat: ResponseFormat;
  /** Parameters of query and body together. */
  readonly parameters: Pairs;
  /** Length of the urlencoded body; 0 when there is none. */
  readonly formBytes: number;
  /** @returns the refusal of a call without this common parameter */
  readonly missing: (name: keyof CommonParameters) => GatewayError;
  /** @throws GatewayError when there is no signature that can be verified */
  readonly signature: () => PresentedSignature;
}
