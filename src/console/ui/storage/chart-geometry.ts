/* The shapes of a chart of stacked areas, without anything of a browser. */

/** Values at one time, in the order in which they are stacked, from the bottom. */
export interface ChartPoint {
  /** Unix milliseconds. */
  readonly at: number;
  readonly values: readonly number[];
}

/** A chart as paths of SVG. */
export interface ChartGeometry {
  /** One area for each value, from the bottom. */
  readonly areas: readonly string[];
  /** What the top of the chart stands for. */
  readonly top: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** @param points - at least two, the oldest first */
export function layOutChart(points: readonly ChartPoint[], { height, width }: Size): ChartGeometry {
  const from = points[0]?.at ?? 0;
  const span = Math.max((points.at(-1)?.at ?? 0) - from, 1);
  const sums = points.map(({ values }) => stack(values));
  const top = niceTop(Math.max(...sums.map((levels) => levels.at(-1) ?? 0)));
  const xs = points.map(({ at }) => ((at - from) / span) * width);
  const line = (series: number): string[] =>
    sums.map((levels, index) => {
      const y = height - ((levels[series] ?? 0) / top) * height;
      return `${round(xs[index] ?? 0)},${round(y)}`;
    });
  const count = (points[0]?.values.length ?? 0) + 1;
  const areas = Array.from({ length: count - 1 }, (_, series) => {
    const upper = line(series + 1);
    const lower = line(series).reverse();
    return `M${[...upper, ...lower].join('L')}Z`;
  });
  return { areas, top };
}

/** @returns the sums of the first 0, 1, 2 ... values */
function stack(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) ?? 0) + value);
  return sums;
}

/** @returns the smallest of 1, 2, 5 times a power of 2^10 times 10 that is not less: a top that can be read */
export function niceTop(value: number): number {
  const unit = 1024 ** Math.max(Math.floor(Math.log(Math.max(value, 1)) / Math.log(1024)), 0);
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1024];
  return (steps.find((step) => step * unit >= value) ?? 1024) * unit;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
