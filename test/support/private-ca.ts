import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files: a certificate for 127.0.0.1, and the authority that signed it. */
export interface PrivateCa {
  readonly caFile: string;
  /** The certificate of the authority, as PEM. */
  readonly ca: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/**
 * Creates an authority, and a certificate that it signs, in a folder. Needs openssl.
 * @param days - how long both are valid
 */
export function createPrivateCa(folder: string, days = 2): PrivateCa {
  const file = (name: string): string => join(folder, name);
  const makeCertificate = (name: string, args: readonly string[]): void => {
    const out = [
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.pem`),
      '-days',
      String(days),
    ];
    execFileSync('openssl', ['req', '-x509', ...EC_KEY, ...out, ...args], { stdio: 'ignore' });
  };
  makeCertificate('ca', ['-subj', '/CN=private authority']);
  makeCertificate('server', [
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-subj', '/CN=gateway'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE'],
  ]);
  return {
    caFile: file('ca.pem'),
    ca: readFileSync(file('ca.pem'), 'utf8'),
    certFile: file('server.pem'),
    keyFile: file('server.key'),
  };
}
