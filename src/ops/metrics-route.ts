import type { RequestHandler } from 'express';
import type { MetricsText } from '../metrics/gateway-metrics.ts';
import { equalInConstantTime } from '../signatures/constant-time.ts';
import { BadControl } from './responses.ts';
import { findAccessProblem } from './test-access.ts';

/** The metrics, and who may read them. */
export interface MetricsAccess {
  /** The setting `metricsToken`. */
  readonly token: string | undefined;
  /** The address of the gateway as clients see it; undefined when it is not configured. */
  readonly publicUrl: string | undefined;
  readonly render: () => Promise<MetricsText>;
}

const METRICS = {
  name: 'the metrics',
  opening:
    'with --metrics-token (OTA_GATEWAY_METRICS_TOKEN) any machine can read them that sends the token as a Bearer token',
};

/** @param access - undefined when the metrics are off */
export function serveMetrics(access: MetricsAccess | undefined): RequestHandler {
  return async (request, response) => {
    if (access === undefined) {
      throw new BadControl('the metrics are off: --metrics (OTA_GATEWAY_METRICS) is off', 404);
    }
    const { publicUrl, token } = access;
    if (token === undefined) {
      const problem = findAccessProblem(request, { testModeRemote: false, publicUrl }, METRICS);
      if (problem !== undefined) throw new BadControl(problem, 403);
    } else if (!hasToken(request.headers.authorization, token)) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="metrics"');
      throw new BadControl(
        'the metrics need the header Authorization: Bearer TOKEN with the token of --metrics-token (OTA_GATEWAY_METRICS_TOKEN)',
        401,
      );
    }
    const { contentType, text } = await access.render();
    response.setHeader('Content-Type', contentType).end(text);
  };
}

/** RFC 6750, 2.1; the name of the scheme has no case (RFC 9110, 11.1). */
function hasToken(header: string | undefined, token: string): boolean {
  const sent = /^Bearer +(.+)$/i.exec(header ?? '')?.[1];
  return sent !== undefined && equalInConstantTime(sent, token);
}
