import { LimitedLog } from '../../../src/lib/limited-log.ts';
import { silentLogger } from '../../../src/lib/logger.ts';

it('logs up to its limit, counts the rest, and begins again', () => {
  const lines: [string, object, string][] = [];
  const log = new LimitedLog(
    {
      ...silentLogger,
      info: (details, message) => lines.push(['info', details, message]),
      warn: (details, message) => lines.push(['warn', details, message]),
    },
    'visitors',
    { lines: 2, milliseconds: 60_000 },
  );
  log.info({ n: 1 }, 'a');
  log.warn({ n: 2 }, 'b');
  log.warn({ n: 3 }, 'c');
  log.info({ n: 4 }, 'd');
  log.close();
  log.info({ n: 5 }, 'e');
  log.close();
  expect(lines).toEqual([
    ['info', { n: 1 }, 'a'],
    ['warn', { n: 2 }, 'b'],
    ['info', { leftOut: 2 }, 'left out lines about visitors'],
    ['info', { n: 5 }, 'e'],
  ]);
});
