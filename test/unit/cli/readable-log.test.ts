import { createReadableFormat } from '../../../src/cli/readable-log.ts';

const LINE = JSON.stringify({
  ...{ level: 'info', time: '2026-11-27T01:02:03.004Z', pid: 7, hostname: 'node-1' },
  ...{ url: 'http://127.0.0.1:9070', msg: 'listening' },
});
const withoutTime = (text: string): string => text.replace(/^\[[^\]]*\] /, '');

it('shows level, message and facts of the only gateway', () => {
  const format = createReadableFormat({ colorize: false, isOneOfSeveral: false });
  expect(withoutTime(format(LINE))).toBe('INFO: listening  url=http://127.0.0.1:9070\n');
});

it('names process and machine of one of several gateways', () => {
  const format = createReadableFormat({ colorize: false, isOneOfSeveral: true });
  expect(withoutTime(format(LINE))).toBe(
    'INFO (7 on node-1): listening  url=http://127.0.0.1:9070\n',
  );
});
