import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../../src/config/config-error.ts';
import { parseConfig } from '../../../src/config/config.ts';
import { findExpiry } from '../../../src/config/tls-files.ts';
import { createGateway } from '../../../src/gateway.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { folderForSuite } from '../../support/suite.ts';

const folder = folderForSuite();
const file = (name: string): string => join(folder.path, name);

async function problemsOf(options: object): Promise<readonly string[]> {
  try {
    await using gateway = await createGateway(parseConfig({ dataDir: file('data'), ...options }));
    return [`accepted ${gateway.config.dataDir}`];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the problems of files that settings name', () => {
  it('are all reported at once', async () => {
    const problems = await problemsOf({
      tlsCert: file('no.pem'),
      tlsKey: folder.path,
      accountsFile: file('no.json'),
      dataDir: '/dev/null/data',
    });
    expect(problems).toEqual([
      expect.stringMatching(
        /^tlsCert: .*no\.pem cannot be read \(ENOENT: no such file or directory\): expected/,
      ),
      expect.stringMatching(
        /^tlsKey: .* cannot be read \(EISDIR: illegal operation on a directory\): expected/,
      ),
      expect.stringMatching(/^accountsFile: .*no\.json cannot be read \(ENOENT/),
      expect.stringMatching(
        /^dataDir: \/dev\/null\/data cannot be used \(ENOTDIR: .*\): expected a folder/,
      ),
    ]);
  });

  it('include a data folder that is a file', async () => {
    writeFileSync(file('plain'), '');
    // With `recursive`, mkdir of Node 20 never returns for this one.
    expect(await problemsOf({ dataDir: '/proc/no/data' })).toEqual([
      expect.stringMatching(/^dataDir: \/proc\/no\/data cannot be used \(ENOENT/),
    ]);
    expect(await problemsOf({ dataDir: file('plain') })).toEqual([
      expect.stringMatching(/^dataDir: .*plain cannot be used \(EEXIST/),
    ]);
  });
});

const DAY = 24 * 60 * 60 * 1000;

// Needs openssl to create the certificates; CI has it installed.
describeWith('openssl', 'a certificate and its key', () => {
  let good: PrivateCa;
  let other: PrivateCa;

  beforeAll(() => {
    good = createPrivateCa(folder.path);
    mkdirSync(file('other'));
    other = createPrivateCa(file('other'));
    const openssl = (...args: string[]): unknown =>
      execFileSync('openssl', args, { stdio: 'ignore' });
    const encrypt = ['-aes256', '-passout', 'pass:x'];
    openssl('pkey', '-in', good.keyFile, ...encrypt, '-out', file('encrypted.key'));
    openssl('ec', '-in', good.keyFile, ...encrypt, '-out', file('encrypted-ec.key'));
    openssl('x509', '-in', good.certFile, '-outform', 'der', '-out', file('cert.der'));
    openssl('pkey', '-in', good.keyFile, '-outform', 'der', '-out', file('key.der'));
    const text = readFileSync(good.certFile, 'utf8');
    writeFileSync(file('cut.pem'), text.slice(0, 200));
    writeFileSync(file('cut.key'), readFileSync(good.keyFile, 'utf8').replace(/\nM.{20}/, '\n'));
    writeFileSync(file('chain.pem'), `${text}${good.ca}`);
    writeFileSync(file('reversed.pem'), `${good.ca}${text}`);
    writeFileSync(file('broken-chain.pem'), `${text}${text.slice(0, 200)}\n`);
    writeFileSync(file('both.pem'), `${readFileSync(good.keyFile, 'utf8')}${text}`);
    writeFileSync(file('empty'), '');
  });

  it.each([
    ['the pair', 'server.pem', 'server.key'],
    ['a chain', 'chain.pem', 'server.key'],
    ['both in one file', 'both.pem', 'both.pem'],
  ])('are accepted: %s', async (_, tlsCert, tlsKey) => {
    const problems = await problemsOf({ tlsCert: file(tlsCert), tlsKey: file(tlsKey) });
    expect(problems).toEqual([expect.stringMatching(/^accepted /)]);
  });

  it.each([
    ['no PEM', 'cert.der', 'server.key', /^tlsCert: .*has no certificate: expected .*openssl x509/],
    ['the key', 'server.key', 'server.key', /^tlsCert: .*server\.key has no certificate/],
    ['empty', 'empty', 'server.key', /^tlsCert: .*empty has no certificate/],
    ['cut', 'cut.pem', 'server.key', /^tlsCert: the certificate in .*cut\.pem is damaged/],
    [
      'with a cut chain',
      'broken-chain.pem',
      'server.key',
      /^tlsCert: .*broken-chain\.pem cannot be used/,
    ],
    ['after another', 'reversed.pem', 'server.key', /^tlsCert and tlsKey: .*does not belong/],
  ])('are refused when the certificate is %s', async (_, tlsCert, tlsKey, expected) => {
    const problems = await problemsOf({ tlsCert: file(tlsCert), tlsKey: file(tlsKey) });
    expect(problems).toEqual([expect.stringMatching(expected)]);
    expect(problems[0]).not.toMatch(/-----BEGIN [^-]*-----\n/);
  });

  it.each([
    ['no PEM', 'key.der', /^tlsKey: .*has no private key: expected .*openssl pkey/],
    ['the certificate', 'server.pem', /^tlsKey: .*server\.pem has no private key/],
    ['encrypted', 'encrypted.key', /^tlsKey: .*is encrypted: .*openssl pkey/],
    ['encrypted in the old format', 'encrypted-ec.key', /^tlsKey: .*is encrypted/],
    ['cut', 'cut.key', /^tlsKey: the key in .*cut\.key is damaged/],
  ])('are refused when the key is %s', async (_, tlsKey, expected) => {
    const problems = await problemsOf({ tlsCert: good.certFile, tlsKey: file(tlsKey) });
    expect(problems).toEqual([expect.stringMatching(expected)]);
  });

  it('are refused when they do not belong together', async () => {
    const problems = await problemsOf({ tlsCert: good.certFile, tlsKey: other.keyFile });
    expect(problems).toEqual([
      expect.stringMatching(/^tlsCert and tlsKey: the key .* does not belong to/),
    ]);
  });

  it.each([
    ['nothing, 15 days before its end', 30 * DAY, undefined],
    ['nothing, on its first day', 1 * DAY, undefined],
    [
      'its end, 14 days before',
      31.5 * DAY,
      /^expires on \d{4}-\d\d-\d\dT[\d:]{8}Z: replace the file/,
    ],
    ['its end, after it', 46 * DAY, /^expired on \d{4}-\d\d-\d\dT[\d:]{8}Z: replace the file/],
    ['its beginning, before it', -1 * DAY, /^is not valid before .*: check the clock/],
  ])('are worth a warning about %s', (_, since, expected) => {
    mkdirSync(file('lasting'), { recursive: true });
    const { certFile } = createPrivateCa(file('lasting'), 45);
    const found = findExpiry({ cert: readFileSync(certFile, 'utf8') }, Date.now() + since);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(expected);
  });

  it('are worth a warning when a certificate of the chain expires first', () => {
    mkdirSync(file('long'));
    const long = readFileSync(createPrivateCa(file('long'), 400).certFile, 'utf8');
    const now = Date.now();
    expect(findExpiry({ cert: long }, now)).toBeUndefined();
    expect(findExpiry({ cert: `${long}${good.ca}` }, now)).toMatch(/^expires on /);
  });
});
