/* The only file that imports prom-client. It is loaded with `loadRecorder`: it takes as long as the rest of the gateway. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX } from './definitions.ts';
import type { CounterName, GaugeName, HistogramName, MetricDefinition } from './definitions.ts';

/** Values of labels, in the order of the definition. */
type Labels = readonly string[];

/** The metrics of one gateway. */
export interface MetricsRegistry {
  /** @returns a function that adds to a series of a counter */
  counter(name: CounterName, labels?: Labels): (value: number) => void;
  /** @returns a function that adds a value to a series of a histogram */
  histogram(name: HistogramName, labels?: Labels): (value: number) => void;
  /** @returns a function that sets a series of a gauge */
  gauge(name: GaugeName, labels?: Labels): (value: number) => void;
  /** @returns all metrics in the text format of Prometheus */
  render(): Promise<string>;
  /** The Content-Type of that text. */
  readonly contentType: string;
}

/**
 * Metrics that prom-client adds, but that are left out: `promtool check metrics` rejects the first three, which end as
 * counters but are gauges; the others have 24 series about parts of the heap.
 */
const LEFT_OUT = [
  ...[
    'nodejs_active_handles_total',
    'nodejs_active_requests_total',
    'nodejs_active_resources_total',
  ],
  ...['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'],
  ...['nodejs_heap_space_size_total_bytes', 'nodejs_heap_space_size_used_bytes'],
  'nodejs_heap_space_size_available_bytes',
];

/** How many values of a series of a histogram wait at most. */
const MAX_WAITING = 512;

/**
 * Values wait until the metrics are read: prom-client looks up a series by its labels for each value, which takes 2
 * microseconds between other work, and a fifth of that for many at once.
 * @param ofProcess - adds metrics of the process and of Node */
export function createRegistry(ofProcess: boolean): MetricsRegistry {
  const registry = new Registry();
  /** For each metric, what passes on the values of its series that wait. */
  const waiting = new Map<string, (() => void)[]>();
  const whenCollected = (name: string, pass: () => void): void => {
    waiting.set(name, [...(waiting.get(name) ?? []), pass]);
  };
  if (ofProcess) {
    collectDefaultMetrics({ register: registry });
    for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  }
  const configure = (name: string, { help, labels }: MetricDefinition) => ({
    ...{ name: PREFIX + name, help, labelNames: [...labels], registers: [registry] },
    collect: () => {
      for (const pass of waiting.get(name) ?? []) pass();
    },
  });
  const counters = makeEach(COUNTERS, (name, each) => new Counter(configure(name, each)));
  const gauges = makeEach(GAUGES, (name, each) => new Gauge(configure(name, each)));
  const histograms = makeEach(
    HISTOGRAMS,
    (name, each) => new Histogram({ ...configure(name, each), buckets: [...each.buckets] }),
  );
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    counter: (name, labels = []) => {
      const series = counters(name).labels(...labels);
      let sum = 0;
      whenCollected(name, () => {
        series.inc(sum);
        sum = 0;
      });
      return (value) => {
        sum += value;
      };
    },
    histogram: (name, labels = []) => {
      const series = histograms(name).labels(...labels);
      const values: number[] = [];
      const pass = (): void => {
        for (const value of values) series.observe(value);
        values.length = 0;
      };
      whenCollected(name, pass);
      return (value) => {
        values.push(value);
        if (values.length === MAX_WAITING) pass();
      };
    },
    gauge: (name, labels = []) => {
      const series = gauges(name).labels(...labels);
      return (value) => {
        series.set(value);
      };
    },
  };
}

/** Makes a metric of each definition. @returns a function that finds one by its name */
function makeEach<D, M>(
  definitions: Readonly<Record<string, D>>,
  make: (name: string, definition: D) => M,
): (name: string) => M {
  const made = new Map(
    Object.entries(definitions).map(([name, definition]) => [name, make(name, definition)]),
  );
  return (name) => {
    const metric = made.get(name);
    if (metric === undefined) throw new Error(`there is no metric ${name}`);
    return metric;
  };
}
