/*
 * Every metric of the gateway. docs/metrics.md shows these tables. Units are base units: seconds and bytes. No label has
 * a value that a client can invent.
 */

/** The start of every name. */
export const PREFIX = 'ota_gateway_';

/** What a metric is. */
export interface MetricDefinition {
  readonly help: string;
  readonly labels: readonly string[];
}

/** A histogram, with the upper bounds of its buckets. */
export interface HistogramDefinition extends MetricDefinition {
  readonly buckets: readonly number[];
}

export const COUNTERS = {
  requests_total: {
    labels: ['dialect', 'operation', 'code'],
    help: 'Requests by their outcome: OK, or the error code of the dialect. A refused call of the IoT API may have the HTTP status 200.',
  },
  refusals_total: { labels: ['dialect', 'reason'], help: 'Refused requests by the reason.' },
  received_bytes_total: { labels: ['operation'], help: 'Bytes of request bodies that were read.' },
  sent_bytes_total: { labels: ['operation'], help: 'Bytes of response bodies.' },
  grants_issued_total: { labels: [], help: 'Signed upload forms.' },
  uploads_stored_total: { labels: [], help: 'Files that were stored.' },
  uploads_claimed_total: { labels: [], help: 'Files that a firmware package has claimed.' },
  uploads_purged_total: { labels: ['reason'], help: 'Files that were deleted.' },
  purged_bytes_total: { labels: ['reason'], help: 'Bytes of files that were deleted.' },
  purge_runs_total: {
    labels: ['outcome'],
    help: 'Runs of the purge. Skipped: it was due while another run was not finished.',
  },
  store_failures_total: {
    labels: ['failure'],
    help: 'Tries of requests to a store in the network that have failed. Silent: no answer, or the connection broke; failing: it cannot now; skewed: clocks differ; refused: keys, bucket or rights.',
  },
  store_retries_total: {
    labels: [],
    help: 'How many of these tries were followed by another one.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

const REQUEST_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 5, 60, 1800] as const;
const KIB = 1024;
const MIB = 1024 * KIB;

export const HISTOGRAMS = {
  request_duration_seconds: {
    labels: ['dialect', 'operation'],
    buckets: REQUEST_SECONDS,
    help: 'Time from the head of a request to the end of its response. An upload takes as long as its client sends.',
  },
  upload_size_bytes: {
    labels: [],
    buckets: [4 * KIB, 64 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB, 1000 * MIB],
    help: 'Sizes of stored files.',
  },
  upload_finish_seconds: {
    labels: [],
    buckets: REQUEST_SECONDS,
    help: 'Time from the last byte of a file until it was stored: the share of the gateway in an upload.',
  },
  claim_age_seconds: {
    labels: [],
    buckets: [1, 10, 60, 300, 900, 1800, 2700, 3600],
    help: 'Time from the upload of a file to its claim. Files are purged at the claim deadline.',
  },
  client_clock_skew_seconds: {
    labels: [],
    buckets: [1, 5, 30, 60, 300, 600, 900],
    help: 'How far the dates of signed requests are from the clock, in either direction; also of requests that are refused for it.',
  },
  purge_duration_seconds: {
    labels: [],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60],
    help: 'Time that a run of the purge took.',
  },
  ledger_commit_seconds: {
    labels: [],
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.25, 1],
    help: 'Time of a commit of the ledger, with its flush to the disk when it needs one. Requests share commits.',
  },
  ledger_connect_seconds: {
    labels: [],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 3],
    help: 'Time that a call of a ledger in the network waited for one of OTA_GATEWAY_LEDGER_POOL connections.',
  },
} as const satisfies Readonly<Record<string, HistogramDefinition>>;

export const GAUGES = {
  requests_in_flight: { labels: ['dialect'], help: 'Requests that are being handled.' },
  connections: { labels: [], help: 'Open connections.' },
  connections_limit: { labels: [], help: 'How many connections may be open.' },
  uploads: { labels: ['state'], help: 'Uploads in each state.' },
  stored_bytes: {
    labels: ['state'],
    help: 'Bytes of the files in each state that are on the disk.',
  },
  oldest_unclaimed_timestamp_seconds: {
    labels: [],
    help: 'When the oldest file was stored that no firmware package has claimed; 0 when there is none.',
  },
  firmware_packages: { labels: [], help: 'Firmware packages.' },
  claim_deadline_seconds: { labels: [], help: 'How long a stored file can be claimed.' },
  upload_limit_bytes: { labels: [], help: 'Size of the largest file that is accepted.' },
  purge_last_success_timestamp_seconds: {
    labels: [],
    help: 'When the last successful run of the purge ended; before the first one, when counting began.',
  },
  disk_free_bytes: { labels: [], help: 'Free bytes of the disk of the data folder.' },
  disk_size_bytes: { labels: [], help: 'Size of that disk.' },
  disk_reserved_bytes: { labels: [], help: 'Bytes of it that uploads must leave free.' },
  journals_full: {
    labels: [],
    help: 'Full journals whose files are being flushed; uploads of small files wait when there are 4.',
  },
  sha256_pending: {
    labels: [],
    help: 'SHA-256 digests that are being computed; claims may wait for them.',
  },
  ledger_size_bytes: { labels: [], help: 'Size of the ledger with its write-ahead log.' },
  ledger_clock_ahead_seconds: {
    labels: [],
    help: 'How far the clock of the gateway was ahead of that of a ledger in the network, at the comparison of the last minute.',
  },
  store_failing: {
    labels: [],
    help: '1 while a store in the network cannot be used, so that uploads and downloads are refused; otherwise 0.',
  },
  ready: { labels: [], help: '1 when signed calls can be recorded, otherwise 0.' },
  build_info: { labels: ['version', 'node'], help: 'Always 1; the labels are the versions.' },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type GaugeName = keyof typeof GAUGES;
