import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatherOptions, readConfig } from '../../../src/cli/environment.ts';
import { variableName } from '../../../src/cli/names.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/config.ts';
import { describeOptions } from '../../../src/config/describe-options.ts';
import { folderForEachTest } from '../../support/suite.ts';

function problemsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

describe('parseConfig', () => {
  it('fills in the documented defaults', () => {
    expect(parseConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 9070,
      dataDir: './storage',
      bucket: 'iotx-ota',
      region: 'cn-shanghai',
      policyTtl: 60_000,
      claimTtl: 3_600_000,
      purgeCron: '* * * * *',
      maxUpload: 1_048_576_000,
      qps: 'on',
      logLevel: 'info',
    });
  });

  it.each([
    ['10.0.0.1', ['10.0.0.1']],
    ['10.0.0.0/8, 2001:db8::/32', ['10.0.0.0/8', '2001:db8::/32']],
    ['::1/128', ['::1/128']],
    ['', []],
    [['0.0.0.0/0'], ['0.0.0.0/0']],
  ])('reads the trusted proxies %j', (trustedProxies, expected) => {
    expect(parseConfig({ trustedProxies }).trustedProxies).toEqual(expected);
  });

  it.each(['proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::1/129', '10.0.0.0/8/8'])(
    'refuses the trusted proxy %s',
    (trustedProxies) => {
      expect(problemsOf(() => parseConfig({ trustedProxies }))).toEqual([
        `trustedProxies: at [0]: expected addresses or ranges such as 10.0.0.0/8, found "${trustedProxies}"`,
      ]);
    },
  );

  it.each([
    ['250ms', 250],
    ['60s', 60_000],
    ['60m', 3_600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['1500', 1500],
    [1500, 1500],
    [0, 0],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
    ['1.1h', 3_960_000],
    ['60S', 60_000],
    ['7D', 604_800_000],
  ])('reads the duration %s as %d ms', (claimTtl, expected) => {
    expect(parseConfig({ claimTtl }).claimTtl).toBe(expected);
  });

  it.each([
    ['10MiB', 10_485_760],
    ['1GB', 1_000_000_000],
    ['1KB', 1000],
    ['1KiB', 1024],
    ['5B', 5],
    ['7', 7],
    ['1gb', 1_000_000_000],
    ['10mib', 10_485_760],
    ['10MIB', 10_485_760],
    ['1.5GiB', 1_610_612_736],
  ])('reads the size %s as %d bytes', (maxUpload, expected) => {
    expect(parseConfig({ maxUpload }).maxUpload).toBe(expected);
  });

  it.each([
    '1.5ms',
    '0.0001s',
    '1.s',
    '.5s',
    '1,5s',
    '1.5 h',
    '-1s',
    '60x',
    '',
    ' 60s',
    '9007199254740993s',
    '1e3',
  ])('refuses the duration "%s"', (claimTtl) => {
    expect(problemsOf(() => parseConfig({ claimTtl }))).toEqual([
      `claimTtl: expected a duration such as 250ms, 60s, 60m, 24h or 7d, found "${claimTtl}"`,
    ]);
  });

  it.each(['x', '* * * *', '61 * * * *', '* * * * * * *', '@sometimes'])(
    'refuses the cron expression "%s"',
    (purgeCron) => {
      expect(problemsOf(() => parseConfig({ purgeCron }))).toEqual([
        `purgeCron: expected five cron fields, or six with seconds, found "${purgeCron}"`,
      ]);
    },
  );

  it.each(['grace', 'idleTimeout', 'drainTime'])(
    'refuses a %s that no timer can wait for',
    (name) => {
      expect(parseConfig({ [name]: '24d' })).toMatchObject({ [name]: 24 * 86_400_000 });
      expect(problemsOf(() => parseConfig({ [name]: '25d' }))).toEqual([
        `${name}: expected at most 24d, found "25d"`,
      ]);
    },
  );

  it.each([5, '5', '999ms', '0s'])(
    'refuses the policy TTL %j, which is below a second',
    (policyTtl) => {
      expect(() => parseConfig({ policyTtl })).toThrow(
        'policyTtl: expected at least 1s; a number without a unit is milliseconds',
      );
    },
  );

  it.each(['policyTtl', 'claimTtl', 'issuedRetention', 'tombstoneRetention'])(
    'refuses a %s of more than a hundred years',
    (name) => {
      expect(parseConfig({ [name]: '36500d' })).toMatchObject({ [name]: 36_500 * 86_400_000 });
      expect(problemsOf(() => parseConfig({ [name]: '36501d' }))).toEqual([
        `${name}: expected at most 36500d, found "36501d"`,
      ]);
    },
  );

  it.each([
    ['qps', 'fast', 'expected on, off or a whole number from 1'],
    ['publicRead', 'maybe', 'expected on or off'],
    ['publicUrl', 'ftp://x', 'expected an http or https URL'],
    ['bucket', 'A', 'expected 3 to 63 lower-case letters, digits and "-"'],
    ['corsRules', '{', 'expected JSON'],
    ['accessKeyId', 'a/b', 'expected visible characters without spaces or "/"'],
    ['port', 'abc', 'expected a port from 0 to 65535, found "abc"'],
    ['port', NaN, 'expected a port from 0 to 65535, found NaN'],
    ['logLevel', 'loud', 'expected debug, info, warn, error or silent, found "loud"'],
    ['fidelity', 'exact', 'expected lenient or strict, found "exact"'],
    ['corsRules', '[{"allowedOrigins":5}]', 'at [0].allowedOrigins: expected a list, found 5'],
    ['corsRules', '[{"Origins":5}]', 'at [0]: there is no Origins'],
    ['dataDir', '', 'expected text that is not empty, found ""'],
  ])('refuses %s=%s', (option, value, message) => {
    const problems = problemsOf(() => parseConfig({ [option]: value }));
    expect(problems.join('\n')).toContain(message);
  });

  it('says of every setting what was expected and what was found, and repeats no secret', () => {
    const wrong = '\u0000?';
    const options = Object.fromEntries(describeOptions().map(({ name }) => [name, wrong]));
    const problems = problemsOf(() => parseConfig(options)).filter(
      (line) => !/: (?:give|must differ|needs)/.test(line),
    );
    expect(problems.length).toBeGreaterThan(40);
    for (const problem of problems) {
      // They may have a password.
      if (/^(?:ledger|store)Url:/.test(problem)) expect(problem).not.toContain('found');
      else expect(problem).toMatch(/^\w+: (?:at \[0\]: )?expected [^]*, found "\\u0000\?"$/);
    }
    expect(problemsOf(() => parseConfig({ accessKeyId: 'a', accessKeySecret: '' }))).toEqual([
      'accessKeySecret: expected text that is not empty',
    ]);
  });

  it('reads what only text can say', () => {
    const config = parseConfig({
      qps: '25',
      publicRead: 'on',
      publicUrl: 'https://ota.example/',
      callbackHosts: 'app.example, 10.0.0.1',
      corsRules: '[{"allowedOrigins":["*"],"allowedMethods":["POST"]}]',
    });
    expect(config).toMatchObject({
      qps: 25,
      publicRead: true,
      publicUrl: 'https://ota.example',
      callbackHosts: ['app.example', '10.0.0.1'],
      corsRules: [{ allowedOrigins: ['*'], allowedMethods: ['POST'], allowedHeaders: [] }],
    });
  });

  it('tells every problem at once', () => {
    expect(
      problemsOf(() =>
        parseConfig({ port: 70000, claimTtl: 'x', tlsCert: '/c', accessKeyId: 'a', nonsense: 1 }),
      ),
    ).toEqual([
      expect.stringMatching(/^port: /),
      expect.stringMatching(/^claimTtl: /),
      'nonsense: there is no such setting',
      'accessKeyId and accessKeySecret: give both or neither',
      'tlsCert and tlsKey: give both or neither',
    ]);
  });

  it('refuses a previous bucket key with the id of the present one', () => {
    const options = {
      ...{ ossAccessKeyId: 'a', ossAccessKeySecret: 's' },
      ...{ ossPreviousAccessKeyId: 'a', ossPreviousAccessKeySecret: 't' },
    };
    expect(problemsOf(() => parseConfig(options))).toEqual([
      'ossPreviousAccessKeyId and ossAccessKeyId: must differ',
    ]);
  });

  it('refuses an accounts file beside the access key of a simple installation', () => {
    const options = { accountsFile: 'a.json', accessKeyId: 'a', accessKeySecret: 's' };
    expect(problemsOf(() => parseConfig(options))).toEqual([
      'accountsFile and accessKeyId: give one of them',
    ]);
  });
});

describe('the environment', () => {
  it.each([
    ['dataDir', 'OTA_GATEWAY_DATA_DIR'],
    ['ossAccessKeyId', 'OTA_GATEWAY_OSS_ACCESS_KEY_ID'],
    ['qps', 'OTA_GATEWAY_QPS'],
  ])('knows %s as %s', (option, variable) => {
    expect(variableName(option)).toBe(variable);
  });

  it('gives way to flags, and reads nothing that is not ours', () => {
    const environment = { OTA_GATEWAY_PORT: '1', OTA_GATEWAY_BUCKET: 'abc', PATH: '/bin' };
    expect(gatherOptions(environment, { port: '2' })).toEqual({ port: '2', bucket: 'abc' });
  });

  it('treats an empty variable as absent', () => {
    expect(gatherOptions({ OTA_GATEWAY_PUBLIC_URL: '' }, {})).toEqual({});
  });

  describe('with files', () => {
    const folder = folderForEachTest();
    const write = (name: string, content: string): string => {
      const path = join(folder.path, name);
      writeFileSync(path, content);
      return path;
    };

    it('reads an environment file, which the environment and flags override', () => {
      const envFile = write(
        'gateway.env',
        '# a comment\nOTA_GATEWAY_PORT=1\nOTA_GATEWAY_BUCKET="of file"\nOTA_GATEWAY_REGION=a\nHOME=/\n',
      );
      const environment = { OTA_GATEWAY_PORT: '2', OTA_GATEWAY_REGION: '' };
      expect(gatherOptions(environment, { envFile })).toEqual({
        port: '2',
        bucket: 'of file',
        region: 'a',
      });
      expect(gatherOptions(environment, { envFile, port: '3' })).toMatchObject({ port: '3' });
    });

    it.each([
      ['a line break', 'secret\n'],
      ['two, of which one belongs to it', 'secret\n\n'],
      ['no line break', 'secret'],
      ['one of Windows', 'secret\r\n'],
    ])('reads a secret from its file with %s', (_case, content) => {
      const path = write('secret', content);
      expect(gatherOptions({ OTA_GATEWAY_OSS_ACCESS_KEY_SECRET_FILE: path }, {})).toEqual({
        ossAccessKeySecret: content.replace(/\r?\n$/, ''),
      });
    });

    it('refuses a secret that is given twice, and files that cannot be read', () => {
      const variable = 'OTA_GATEWAY_ACCESS_KEY_SECRET';
      const environment = { [variable]: 'a', [`${variable}_FILE`]: write('secret', 'b') };
      expect(problemsOf(() => gatherOptions(environment, {}))).toEqual([
        `${variable} and ${variable}_FILE: give one of them`,
      ]);
      const missing = join(folder.path, 'none');
      expect(problemsOf(() => gatherOptions({}, { envFile: missing }))).toEqual([
        `--env-file: ${missing} cannot be read (ENOENT: no such file or directory): expected a text file. Check its path, owner and mode`,
      ]);
      expect(problemsOf(() => gatherOptions({ [`${variable}_FILE`]: folder.path }, {}))).toEqual([
        expect.stringContaining(`${variable}_FILE: ${folder.path} cannot be read (EISDIR`),
      ]);
    });
  });

  it('names variables in its refusals, also unknown ones', () => {
    const options = gatherOptions({ OTA_GATEWAY_PROT: '1', OTA_GATEWAY_CLAIM_TTL: 'x' }, {});
    expect(problemsOf(() => readConfig(options))).toEqual([
      expect.stringMatching(/^OTA_GATEWAY_CLAIM_TTL: expected a duration/),
      'OTA_GATEWAY_PROT: there is no such setting',
    ]);
  });
});

describe('describeOptions', () => {
  it('describes every setting', () => {
    for (const option of describeOptions()) expect(option.description).not.toBe('');
  });
});

describe('the settings of test mode', () => {
  it('switch the quotas off, unless they are given', () => {
    expect(parseConfig({}).qps).toBe('on');
    expect(parseConfig({ testMode: 'on' }).qps).toBe('off');
    expect(parseConfig({ testMode: 'on', qps: 'on' }).qps).toBe('on');
    expect(parseConfig({ testMode: 'on', qps: 5 }).qps).toBe(5);
  });

  it('fix the access keys that are not given when ids are repeatable', () => {
    const given = { accessKeyId: 'mine', accessKeySecret: 'own' };
    expect(parseConfig({ testMode: 'on', testIds: 'on', ...given })).toMatchObject({
      ...given,
      ossAccessKeyId: 'bucketid',
      ossAccessKeySecret: 'bucketsecret',
    });
    expect(parseConfig({ testMode: 'on', testIds: 'on' })).toMatchObject({ accessKeyId: 'testid' });
    expect(parseConfig({ testMode: 'on' }).accessKeyId).toBeUndefined();
    const several = parseConfig({ testMode: 'on', testIds: 'on', accountsFile: 'accounts.json' });
    expect(several.accessKeyId).toBeUndefined();
  });

  it.each([
    ['testIds', 'on'],
    ['testClock', '2024-01-01T00:00:00Z'],
  ])('%s is refused without test mode', (name, value) => {
    expect(() => parseConfig({ [name]: value })).toThrow(
      `${name}: is only for testMode, which is off`,
    );
  });

  it.each([
    ['2024-01-01T00:00:00Z', Date.UTC(2024, 0, 1)],
    ['2024-01-01T02:00:00+02:00', Date.UTC(2024, 0, 1)],
    [1704067200000, Date.UTC(2024, 0, 1)],
    ['1704067200000', Date.UTC(2024, 0, 1)],
  ])('reads the time %j', (testClock, expected) => {
    expect(parseConfig({ testMode: true, testClock })).toMatchObject({ testClock: expected });
  });

  it.each(['tomorrow', '2024-01-01', '2024-01-01T00:00:00', '9999-01-01T00:00:00Z', -1, NaN])(
    'refuses the time %j',
    (testClock) => {
      expect(() => parseConfig({ testMode: true, testClock })).toThrow(/^testClock: /);
    },
  );
});
