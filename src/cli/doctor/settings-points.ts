import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { readAccountsFile } from '../../accounts/accounts-file.ts';
import { readTlsFiles } from '../../config/tls-files.ts';
import { wallClock } from '../../lib/clock.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { formatSpan } from '../../lib/time-span.ts';
import { counted } from '../people.ts';
import type { Checkup, Finding, Point } from './checkup.ts';
import { fail, notKnown, ok, skip, warn } from './checkup.ts';

/** The points that look at the program, its settings and the files that these name. */
export const SETTINGS_POINTS: readonly Point[] = [
  { name: 'versions', look: lookAtVersions },
  { name: 'environment', look: lookAtEnvironment },
  { name: 'accounts file', look: lookAtAccounts },
  { name: 'certificate', look: lookAtCertificate },
  { name: 'port', look: lookAtPort },
];

const OLDEST_NODE = { major: 20, minor: 19 };

function lookAtVersions(): Finding {
  const { node, openssl, uv } = process.versions;
  const [major, minor] = node.split('.');
  const text = `Node ${node}, OpenSSL ${openssl}, libuv ${uv}, ${process.platform} ${process.arch}`;
  const oldest = OLDEST_NODE;
  const isTooOld =
    Number(major) < oldest.major ||
    (Number(major) === oldest.major && Number(minor) < oldest.minor);
  return isTooOld
    ? fail(text, `Use Node ${String(oldest.major)}.${String(oldest.minor)} or newer`)
    : ok(text);
}

function lookAtEnvironment({ options, problems }: Checkup): Finding {
  const count = counted(Object.keys(options).length, 'setting');
  if (problems.length === 0) return ok(`${count} given, all known and valid`);
  const [first = '', ...others] = problems;
  const more = others.map((line) => `; ${line}`).join('');
  return fail(first + more, '`ota-gateway show-config` prints the effective settings');
}

function lookAtAccounts({ config }: Checkup): Finding {
  const { accountsFile } = config;
  if (accountsFile === undefined) return skip('none: there is one account');
  const accounts = readAccountsFile(accountsFile);
  const { mode } = statSync(accountsFile);
  const text = `${accountsFile}: ${counted(accounts.length, 'account')}`;
  if ((mode & 0o007) === 0) return ok(text);
  return warn(`${text}; every user can read its secrets`, `chmod o= ${accountsFile}`);
}

/** A certificate that expires within this time is worth a warning. */
const RENEW_MS = 14 * 86_400_000;

function lookAtCertificate({ config }: Checkup): Finding {
  const { publicUrl } = config;
  const files = readTlsFiles(config);
  if (files === undefined) return skip('none: the gateway speaks plain HTTP');
  const certificate = new X509Certificate(files.cert);
  const left = Date.parse(certificate.validTo) - wallClock.now();
  const text = `${certificate.subject.replaceAll('\n', ', ')} until ${certificate.validTo}; its key fits`;
  if (left <= 0) return fail(`${text}: it has expired`, 'Renew it');
  if (publicUrl !== undefined) {
    const { hostname, protocol } = new URL(publicUrl);
    const name = hostname.replace(/^\[|\]$/g, '');
    const isFor = certificate.checkHost(name) ?? certificate.checkIP(name);
    // With http, or at a proxy, another certificate is shown to clients.
    if (protocol === 'https:' && isFor === undefined)
      return warn(`${text}; it is not for ${hostname}, the host of the public URL`);
  }
  return left < RENEW_MS ? warn(`${text}: ${formatSpan(left)} are left`, 'Renew it') : ok(text);
}

async function lookAtPort({ config, endpoint, running, unknown }: Checkup): Promise<Finding> {
  const { host, port } = config;
  const where = `${host}:${String(port)}`;
  if (endpoint !== undefined) return skip(`the gateway is at ${endpoint}`);
  if (running !== undefined) return ok(`the gateway listens on ${running.url}`);
  if (unknown !== undefined) return notKnown(unknown);
  if (port === 0) return ok('any free port');
  const problem = await tryToListen(host, port);
  if (problem === undefined) return ok(`${where} is free`);
  if (!hasErrorCode(problem, 'EADDRINUSE')) return fail(`${where}: ${problem.message}`);
  const hint = 'Stop that process, or choose another port';
  return fail(`another process uses ${where}, and no gateway runs on this data folder`, hint);
}

/** @returns why nothing can listen there */
function tryToListen(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}
