import { postObject } from '../../client/post-object.ts';
import { wallClock } from '../../lib/clock.ts';
import { formatSpan } from '../../lib/time-span.ts';
import { localUrl } from '../gateway-address.ts';
import { reach } from '../network-failure.ts';
import { formatSize } from '../people.ts';
import type { ProbeResponse } from '../probe.ts';
import { askGatewayId, below, probe } from '../probe.ts';
import type { Checkup, Finding, Point } from './checkup.ts';
import { fail, notKnown, ok, skip, warn } from './checkup.ts';

/** The points that ask the running gateway, directly and as its clients do. */
export const NETWORK_POINTS: readonly Point[] = [
  { name: 'gateway', look: lookAtGateway },
  { name: 'clock', look: lookAtClock },
  { name: 'public URL', look: lookAtPublicUrl },
  { name: 'proxy', look: lookAtProxy },
];

function withoutGateway({ unknown }: Checkup): Finding {
  return unknown === undefined ? skip('no gateway is running here') : notKnown(unknown);
}

/** @returns the nearest address of the gateway */
function addressOf({ endpoint, running }: Checkup): string | undefined {
  return endpoint ?? (running && localUrl(running, true));
}

async function ask(url: string, path: string): Promise<ProbeResponse> {
  return reach(url, () => probe(below(url, path)));
}

async function lookAtGateway(checkup: Checkup): Promise<Finding> {
  const url = addressOf(checkup);
  if (url === undefined) return withoutGateway(checkup);
  const { json, status } = await ask(url, '/_gateway/health/ready');
  const found: Partial<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? json : {};
  const reason = typeof found['message'] === 'string' ? `: ${found['message']}` : '';
  if (status !== 200) return fail(`${url} answers with status ${String(status)}${reason}`);
  if (found['status'] !== 'ready')
    return fail(`${url} is not answered by a gateway`, 'Give its address with --endpoint');
  const { running } = checkup;
  if (checkup.endpoint === undefined && running !== undefined) {
    const gatewayId = await askGatewayId(url);
    if (gatewayId !== running.gatewayId)
      return fail(
        `${url} is answered by another gateway than that of the data folder (ids differ)`,
      );
  }
  return ok(`${url} is ready`);
}

/** Calls may be dated 15 minutes away from the clock of the gateway. */
const MAX_SKEW_MS = 60_000;
const WRONG_SKEW_MS = 15 * 60_000;

async function lookAtClock(checkup: Checkup): Promise<Finding> {
  const url = addressOf(checkup);
  if (url === undefined) return withoutGateway(checkup);
  const before = wallClock.now();
  const { headers } = await ask(url, '/_gateway/health/live');
  const after = wallClock.now();
  const theirs = Date.parse(headers.date ?? '');
  if (Number.isNaN(theirs)) return skip(`${url} sends no date`);
  // The date has whole seconds, and was made between the two times.
  const skew = Math.max(0, before - (theirs + 999), theirs - after);
  const text = `${skew < 1000 ? 'less than 1 s' : formatSpan(skew)} from the gateway at ${url}`;
  const hint = 'Set the clocks of both machines, for example by NTP';
  if (skew > WRONG_SKEW_MS) return fail(`${text}: its calls are refused`, hint);
  return skew > MAX_SKEW_MS ? warn(text, hint) : ok(text);
}

function publicUrlOf({ config, running }: Checkup): string | undefined {
  return running?.publicUrl ?? config.publicUrl;
}

async function lookAtPublicUrl(checkup: Checkup): Promise<Finding> {
  const publicUrl = publicUrlOf(checkup);
  if (publicUrl === undefined && checkup.unknown !== undefined) return notKnown(checkup.unknown);
  if (publicUrl === undefined) return skip('not set: URLs have the host that each client calls');
  const { gatewayId } = checkup.running ?? {};
  const found = await reach(publicUrl, () => askGatewayId(publicUrl)).catch((error: unknown) =>
    error instanceof Error ? error : new Error(String(error)),
  );
  // From here it may be another network than from where clients are.
  if (found instanceof Error)
    return warn(found.message, 'Clients must reach it; this machine need not');
  if (found === undefined) return fail(`${publicUrl} is not answered by a gateway`);
  if (gatewayId === undefined)
    return warn(`${publicUrl} is answered by a gateway; which is not known`);
  if (found === gatewayId) return ok(`${publicUrl} is answered by this gateway`);
  return fail(
    `clients see ${publicUrl}; from here it is answered by another gateway (ids differ)`,
    'Check where its name and its proxy lead to',
  );
}

const TRIED_BYTES = 2 * 1024 * 1024;

/** Posts a form that any gateway refuses, to see whether what is in between lets forms of usual size pass. */
async function lookAtProxy(checkup: Checkup): Promise<Finding> {
  const url = publicUrlOf(checkup) ?? checkup.endpoint;
  if (url === undefined && checkup.unknown !== undefined) return notKnown(checkup.unknown);
  if (url === undefined) return skip('nothing is known to be in front of the gateway');
  const file = { name: 'doctor', size: TRIED_BYTES, bytes: [Buffer.alloc(TRIED_BYTES)] };
  const { body, headers, status } = await reach(url, () =>
    postObject(url, [['key', 'doctor']], file),
  );
  const size = formatSize(TRIED_BYTES);
  if (status === 413) {
    const hint = 'Raise the limit of the proxy, in nginx: client_max_body_size 0';
    return fail(`something in front of the gateway refuses a form of ${size}`, hint);
  }
  if (headers['x-oss-request-id'] === undefined) {
    return fail(
      `a form of ${size} to ${url} is not answered by a gateway: status ${String(status)}`,
    );
  }
  const host = /<HostId>([^<]*)<\/HostId>/.exec(body)?.[1];
  const text = `a form of ${size} reaches the gateway`;
  if (
    host === undefined ||
    new URL(url).host.startsWith(host) ||
    publicUrlOf(checkup) !== undefined
  )
    return ok(text);
  return warn(
    `${text}, but with the host ${host}`,
    'Let the proxy keep the header Host, in nginx: proxy_set_header Host $http_host; or set OTA_GATEWAY_PUBLIC_URL',
  );
}
