import type { GatewayError } from '../errors.ts';
import type { ResponseFormat } from '../render.ts';
import type { Pairs } from './pairs.ts';

/** What every call says of itself, wherever its signature version puts it. An empty value counts as absent. */
export interface CommonParameters {
  readonly version: string | undefined;
  readonly action: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly timestamp: string | undefined;
  readonly nonce: string | undefined;
  readonly securityToken: string | undefined;
}

/** A signature that can be tested. */
export interface PresentedSignature {
  readonly given: string;
  readonly stringToSign: string;
  /** @returns the signature that an access key's secret gives */
  readonly sign: (secret: string) => string;
  /** Why the signature cannot match, when that is known; a sentence and a space. */
  readonly hint: string;
}

/** A call as one signature version reads it. */
export interface SignedCall {
  readonly common: CommonParameters;
  /** The format of the response; undefined when the call asks for one that does not exist. */
  readonly format: ResponseFormat | undefined;
  /** The format to refuse in, whatever the call asks for. */
  readonly fallbackFormat: ResponseFormat;
  /** Parameters of query and body together. */
  readonly parameters: Pairs;
  /** Length of the urlencoded body; 0 when there is none. */
  readonly formBytes: number;
  /** @returns the refusal of a call that lacks a common parameter */
  readonly missing: (name: keyof CommonParameters) => GatewayError;
  /** @throws GatewayError when there is no signature of a kind that can be tested */
  readonly signature: () => PresentedSignature;
}
