import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../../../src/metrics/definitions.ts';

const FOLDER = join(__dirname, '../../../examples/monitoring');
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

const place = z.object({ h: z.int(), w: z.int(), x: z.int(), y: z.int() });
const source = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const target = z.looseObject({
  refId: z.string(),
  datasource: source,
  expr: z.string(),
  legendFormat: z.string(),
});
const panel = z.looseObject({
  id: z.int(),
  type: z.enum(['row', 'stat', 'bargauge', 'timeseries', 'heatmap', 'table']),
  title: z.string().min(1),
  gridPos: place,
  targets: z.array(target).optional(),
});
const dashboard = z
  .looseObject({
    uid: z.string(),
    schemaVersion: z.int(),
    templating: z.object({ list: z.array(z.looseObject({ name: z.string() })) }),
    panels: z.array(panel),
  })
  .parse(JSON.parse(read('ota-gateway.dashboard.json')));

const { panels } = dashboard;
const targets = panels.flatMap((each) => each.targets ?? []);
const rules = read('ota-gateway.rules.yml');

describe('the dashboard', () => {
  it('has the rows of its topics, and panels with queries in each', () => {
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual([
      ...['Now', 'Traffic', 'Uploads', 'Refusals', 'Storage', 'Internals'],
      'Several gateways',
    ]);
    for (const each of panels) {
      expect([each.title, (each.targets ?? []).length > 0]).toEqual([
        each.title,
        each.type !== 'row',
      ]);
    }
  });

  it('has ids that differ, and panels that do not cover each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  it('asks for the job and the instance that are chosen, in every selector', () => {
    const names = dashboard.templating.list.map(({ name }) => name);
    expect(names).toEqual(['datasource', 'job', 'instance']);
    for (const { expr } of targets) {
      const selectors = expr.match(/\b(?:ota_gateway|nodejs|process)_\w+(?:\{[^}]*\})?/g) ?? [];
      expect(selectors.length).toBeGreaterThan(0);
      for (const selector of selectors) {
        expect(selector).toContain('{job="$job", instance=~"$instance"');
      }
    }
  });
});

it('names only metrics that exist, and shows or watches each of them', () => {
  const histograms = Object.keys(HISTOGRAMS).map((name) => `${name}_bucket`);
  const known = [...Object.keys(COUNTERS), ...Object.keys(GAUGES), ...histograms];
  const text = `${targets.map(({ expr }) => expr).join(' ')} ${rules}`;
  const named = Array.from(text.matchAll(/\bota_gateway_(\w+)\{/g), ([, name]) => name ?? '');
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  expect(known.filter((name) => !named.includes(name))).toEqual([]);
});

it('has alerts with what to do', () => {
  const alerts = rules.split('- alert: ').slice(1);
  expect(alerts).toHaveLength(13);
  for (const alert of alerts) {
    expect(alert).toMatch(/severity: (?:critical|warning|info)/);
    expect(alert).toMatch(/summary: '[^]+description: '/);
  }
});
