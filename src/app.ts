import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Keys } from './accounts/keys.ts';
import type { NonceMemory, Quota } from './accounts/ports.ts';
import type { Config } from './config/config.ts';
import type { FaultPlan } from './faults/fault-plan.ts';
import { MemoryBudget } from './http/memory-budget.ts';
import { createOriginReader } from './http/peer.ts';
import { publicHosts } from './http/public-host.ts';
import type { RefusalReporter } from './refusals/refusal-record.ts';
import type { Recording } from './http/request-record.ts';
import { isCallQuery } from './iot/calls/wire-call.ts';
import { createIotRouter } from './iot/router.ts';
import type { IotHandler } from './iot/router.ts';
import type { Clock } from './lib/clock.ts';
import { LimitedLog } from './lib/limited-log.ts';
import type { Logger } from './lib/logger.ts';
import type { GatewayMetrics } from './metrics/gateway-metrics.ts';
import { createFrontPage } from './ops/front-page.ts';
import type { ApiParts } from './ops/api/dependencies.ts';
import { createLazyOperatorApp } from './ops/load-operator-app.ts';
import type { Readiness } from './ops/readiness.ts';
import type { TestControls } from './ops/test-controls.ts';
import { createFidelity } from './oss/fidelity.ts';
import type { NoticeLog } from './oss/fidelity.ts';
import { createCallbackRule } from './oss/post-object/callback-target.ts';
import { createOssRouter } from './oss/router.ts';
import type { OssHandler } from './oss/router.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';

/** Dependencies of the application. */
export interface AppDependencies {
  readonly config: Config;
  readonly keys: Keys;
  readonly uploads: UploadDependencies;
  readonly nonces: NonceMemory;
  readonly faults: FaultPlan | undefined;
  readonly quota: Quota;
  readonly notices: NoticeLog;
  readonly refusals: RefusalReporter;
  readonly recording: Recording;
  /** The machine's clock, which clients date their calls by. */
  readonly wallClock: Clock;
  /** Ports that the gateway listens on; it may add more later. */
  readonly ownPorts: ReadonlySet<number>;
  /** Distinguishes this gateway from others. */
  readonly gatewayId: string;
  readonly readiness: Readiness;
  /** Undefined when they are off. */
  readonly metrics: GatewayMetrics | undefined;
  readonly api: ApiParts;
  /** Mounted in test mode; undefined otherwise. */
  readonly tests: TestControls | undefined;
}

/** Creates the application: the operator surface, the IoT API and the OSS host behind one dispatcher. */
export function createApp(deps: AppDependencies): RequestListener {
  const { config, gatewayId, metrics, readiness, tests, uploads } = deps;
  const { metricsToken: token, publicUrl } = config;
  const operatorApp = createLazyOperatorApp({
    gatewayId,
    logger: uploads.logger,
    api: deps.api,
    tests,
    readiness,
    metrics: metrics && { token, publicUrl, render: () => metrics.render() },
  });
  const operator: Handler = async (request, response) => operatorApp(request, response);
  const frontPage = createFrontPage(config.console);
  const surfaces = { operator, frontPage, ...createDialects(deps) };
  const dispatch = createDispatcher(surfaces, uploads.logger);
  const readOrigin = createOriginReader(deps.config.trustedProxies);
  if (readOrigin === undefined) return dispatch;
  return (request, response) => {
    readOrigin(request);
    dispatch(request, response);
  };
}

/** Handles a request. It rejects only for an internal error. */
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The parts of the application that handle requests. */
export interface Surfaces {
  /**
   * `/_gateway`, which uses Express. The others do not, because of its cost: a signed call took 0.14 ms of processor
   * time with it, 0.09 ms without.
   */
  readonly operator: Handler;
  /** `/` for a browser. */
  readonly frontPage: Handler;
  readonly iot: IotHandler;
  /** Also handles what no other surface supports, with an error. */
  readonly oss: OssHandler;
}

/** The properties of a request that decide which surface handles it. */
interface Outline {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: string;
  /** Content-Type without its parameters, in lower case. */
  readonly type: string | undefined;
  /** The Authorization header. */
  readonly authorization: string;
  /** The Accept header. */
  readonly accept: string;
}

/** `iotByBody`: for the IoT API if the body has a parameter of a call, else for OSS. */
type Destination = keyof Surfaces | 'iotByBody';

interface Route {
  readonly to: Destination;
  readonly matches: (request: Outline) => boolean;
}

/** The first route that matches a request decides which surface handles it. Without a match it is OSS. */
const ROUTES: readonly Route[] = [
  { to: 'operator', matches: isForOperator },
  { to: 'oss', matches: ({ method, type }) => method === 'POST' && type === 'multipart/form-data' },
  { to: 'oss', matches: ({ path }) => path !== '/' && path !== '' },
  // Only the IoT API has this signature. It refuses other methods itself.
  { to: 'iot', matches: ({ authorization }) => authorization.startsWith('ACS3-') },
  { to: 'frontPage', matches: isBrowser },
  { to: 'oss', matches: ({ method }) => method !== 'GET' && method !== 'POST' },
  { to: 'iot', matches: ({ query }) => isCallQuery(query) },
  { to: 'iotByBody', matches: ({ type }) => type === 'application/x-www-form-urlencoded' },
];

/** Creates the dispatcher: it passes each request to its surface. */
export function createDispatcher(
  { frontPage, operator, iot, oss }: Surfaces,
  logger: Logger,
): RequestListener {
  const handlers: Readonly<Record<Destination, Handler>> = {
    operator,
    frontPage,
    oss: (request, response) => oss(request, response),
    iot: (request, response) => iot(request, response),
    iotByBody: (request, response) =>
      iot(request, response, (record) => oss(request, response, record)),
  };
  const dispatch: Handler = async (request, response) =>
    handlers[findDestination(outlineOf(request))](request, response);
  return (request, response) => {
    dispatch(request, response).catch((error: unknown) => {
      logger.error({ err: error }, 'could not handle a request');
      response.destroy();
    });
  };
}

function findDestination(outline: Outline): Destination {
  return ROUTES.find(({ matches }) => matches(outline))?.to ?? 'oss';
}

/** The target of a request: a path, or from a proxy the complete URL. */
const TARGET = /^(?:https?:\/\/[^/?]*)?([^?]*)\??([^]*)$/i;

function outlineOf({ headers, method = '', url = '/' }: IncomingMessage): Outline {
  const [, path = '', query = ''] = TARGET.exec(url) ?? [];
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const { accept = '', authorization = '' } = headers;
  return { method, url, path, query, type, authorization, accept };
}

const HTML = /(?:^|,)\s*text\/html\s*(?:[,;]|$)/i;

/** Clients of the dialects do not name HTML, or have a query, a signature or a body. */
function isBrowser({ accept, authorization, method, query, type }: Outline): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return query === '' && authorization === '' && type === undefined && HTML.test(accept);
}

const OPERATOR_TARGET = /^(?:https?:\/\/[^/?#]*)?\/_gateway(?:[/?#]|$)/;

function isForOperator({ url }: Outline): boolean {
  // Express cannot parse some absolute URLs that Node accepts; they go to OSS.
  return OPERATOR_TARGET.test(url) && (url.startsWith('/') || URL.canParse(url));
}

function createDialects(deps: AppDependencies): { iot: IotHandler; oss: OssHandler } {
  const { config, faults, keys, nonces, notices, quota, recording, refusals, uploads } = deps;
  const limitedLog = new LimitedLog(uploads.logger, 'requests');
  const shared = {
    uploads,
    limitedLog,
    bucketKey: keys.bucketKey,
    publicUrl: config.publicUrl,
    console: config.console,
    faults,
    refusals,
    recording,
    wallClock: deps.wallClock,
    unsigned: new MemoryBudget({ total: config.maxUnsigned, ...UNSIGNED }),
  };
  const iot = createIotRouter({
    ...shared,
    accounts: keys.accounts,
    nonces,
    quota,
    quotaRule: config.qps,
  });
  const oss = createOssRouter({
    ...shared,
    publicHosts: hostsOfBucket(config),
    region: config.region,
    publicRead: config.publicRead,
    isAccountKey: (id) => keys.accounts.find(id) !== undefined,
    corsRules: config.corsRules,
    callback: createCallbackRule(config, deps.ownPorts),
    fidelity: createFidelity(config.fidelity, { clock: uploads.clock, log: limitedLog, notices }),
    drain: { bytes: config.drainBytes, milliseconds: config.drainTime },
  });
  return { iot, oss };
}

/** The public hosts, also with the bucket in front, as clients of OSS address it. */
function hostsOfBucket({ bucket, publicUrl }: Config): readonly string[] {
  const hosts = publicHosts(publicUrl);
  return [...hosts, ...hosts.map((host) => `${bucket}.${host}`)];
}

/**
 * Ordinary forms and calls need less than `free` bytes. Up to `maxWaiting` others wait `waitLimit` milliseconds for
 * memory.
 */
const UNSIGNED = { free: 16 * 1024, waitLimit: 1000, maxWaiting: 128 };
