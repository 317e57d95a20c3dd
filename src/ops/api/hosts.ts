import type { Request } from 'express';
import { requestHost } from '../../http/public-host.ts';

/** Where the operator API is, below the gateway. */
const MOUNT = /\/_gateway\/api$/;

/** @returns the address of the gateway as the caller sees it: scheme, host and path, without a trailing slash */
export function hostOf(request: Request, publicUrl: string | undefined): string {
  return publicUrl ?? requestHost(request, undefined) + request.baseUrl.replace(MOUNT, '');
}
