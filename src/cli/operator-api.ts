import type { z } from 'zod';
import type { ApiClientOptions } from '../client/api-client.ts';
import { signOperatorCall } from '../client/operator-call.ts';
import type { OperatorCall } from '../client/operator-call.ts';
import { errorShape } from '../operator/shapes.ts';
import { hintFor, messageFor, notAGateway } from './api-hints.ts';
import { CommandError } from './command-error.ts';
import { reach } from './network-failure.ts';
import { reachAnswering } from './answering.ts';

/**
 * Calls the operator API of a gateway.
 * @throws CommandError with the code and the hint of its answer when it refuses the call
 */
export async function callOperatorApi<T>(
  options: ApiClientOptions,
  call: OperatorCall,
  shape: z.ZodType<T>,
): Promise<T> {
  const response = await openOperatorCall(options, call);
  const parsed = shape.safeParse(parseJson(await reach(options.endpoint, () => response.text())));
  if (parsed.success) return parsed.data;
  throw unexpected(options.endpoint, call, 'another answer than this version of the command reads');
}

/** Like {@link callOperatorApi}, for an answer that is read while it arrives. */
export async function openOperatorCall(
  options: ApiClientOptions,
  call: OperatorCall,
  signal?: AbortSignal,
): Promise<Response> {
  const { body, headers, method, url } = signOperatorCall(options, call);
  const init = { method, headers, ...(body !== undefined && { body }) };
  const response = await reachAnswering(options.endpoint, (watched) => {
    const signals = signal === undefined ? [watched.signal] : [watched.signal, signal];
    return fetch(url, { ...init, signal: AbortSignal.any(signals) });
  });
  if (response.ok) return response;
  throw refusal(options.endpoint, response.status, await response.text());
}

function refusal(endpoint: string, status: number, text: string): CommandError {
  const parsed = errorShape.safeParse(parseJson(text));
  if (!parsed.success) return notAGateway(endpoint, status, text);
  const { code, hint, message } = parsed.data.error;
  return new CommandError(
    code,
    messageFor(code) ?? message.replace(/\.$/, ''),
    hintFor(code) ?? hint,
  );
}

function unexpected(endpoint: string, { method, path }: OperatorCall, what: string): CommandError {
  return new CommandError(
    'UnexpectedAnswer',
    `${endpoint} answers ${method} ${path} with ${what}`,
    'Check that this is the address of a gateway of this version',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
