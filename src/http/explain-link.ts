import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RefusalRecord, RefusalReporter } from '../refusals/refusal-record.ts';
import { gatewayUrl } from './public-host.ts';

/** What reports refusals, and names the page with their story. */
export interface ExplainDependencies {
  readonly refusals: RefusalReporter;
  /** The address of the gateway as clients see it; derived from each request when undefined. */
  readonly publicUrl: string | undefined;
  /** Whether the console is on, which shows the story. */
  readonly console: boolean;
}

/** Has the URL of the page that explains a refusal. No rule for CORS exposes it. */
const HEADER = 'x-ota-gateway-explain';
/** Clients read 8 to 16 KiB of headers, and may send a Host that is almost as long. */
const LINK = /^[\x21-\x7e]{1,1024}$/;

/** Reports a refusal before its response is sent; the response names the page that explains it, if it is kept. */
export function reportRefusal(
  { console: hasConsole, publicUrl, refusals }: ExplainDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: RefusalRecord,
): void {
  const isKept = refusals.report(refusal);
  if (!isKept || !hasConsole) return;
  const url = `${gatewayUrl(request, publicUrl)}/_gateway/console/#/refusals/${refusal.requestId}`;
  if (LINK.test(url)) response.setHeader(HEADER, url);
}
