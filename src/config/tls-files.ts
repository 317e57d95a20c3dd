import { X509Certificate, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Config } from './config.ts';
import { problem, readSettingFile } from './files.ts';
import { SettingsError, throwTogether } from './settings-error.ts';

/** The certificate with its chain, and its private key, as PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads the certificate and its key.
 * @returns undefined when none is configured
 * @throws SettingsError when one of them cannot be used
 */
export function readTlsFiles({ tlsCert, tlsKey }: Config): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  let [cert, key] = ['', ''];
  throwTogether([
    () => {
      cert = readCertificate(tlsCert);
    },
    () => {
      key = readKey(tlsKey);
    },
  ]);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new SettingsError([
      {
        settings: ['tlsCert', 'tlsKey'],
        text: `the key ${tlsKey} does not belong to the certificate ${tlsCert}; a file with a chain must begin with the server's own certificate`,
      },
    ]);
  }
  requireSecureContext({ cert, key }, tlsCert, tlsKey);
  return { cert, key };
}

function readCertificate(path: string): string {
  const text = readSettingFile('tlsCert', path, 'a PEM file with a certificate');
  if (!/^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m.test(text)) {
    const expected = 'expected a PEM file with -----BEGIN CERTIFICATE-----';
    const advice = 'Convert a DER file with: openssl x509 -inform der -in FILE -out FILE.pem';
    throw problem('tlsCert', `${path} has no certificate: ${expected}. ${advice}`);
  }
  try {
    new X509Certificate(text);
    return text;
  } catch {
    throw problem('tlsCert', `the certificate in ${path} is damaged: create or copy it again`);
  }
}

function readKey(path: string): string {
  const text = readSettingFile('tlsKey', path, 'a PEM file with a private key');
  if (!/^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/m.test(text)) {
    const expected = 'expected a PEM file with -----BEGIN PRIVATE KEY-----';
    const advice = 'Convert a DER file with: openssl pkey -inform der -in FILE -out FILE.pem';
    throw problem('tlsKey', `${path} has no private key: ${expected}. ${advice}`);
  }
  if (text.includes('ENCRYPTED')) {
    const advice = 'Remove it with: openssl pkey -in FILE -out FILE.plain';
    throw problem(
      'tlsKey',
      `the key in ${path} is encrypted: expected one without a passphrase. ${advice}`,
    );
  }
  try {
    createPrivateKey(text);
    return text;
  } catch {
    throw problem('tlsKey', `the key in ${path} is damaged: create or copy it again`);
  }
}

/** Finds what only OpenSSL refuses, such as a key that is too short, or a damaged certificate of the chain. */
function requireSecureContext(files: TlsFiles, tlsCert: string, tlsKey: string): void {
  try {
    createSecureContext(files);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw problem('tlsCert', `${tlsCert} cannot be used with the key ${tlsKey}: ${reason}`);
  }
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^]*?-----END/g;
/** How long before its end a certificate is worth a warning. */
const EXPIRY_WARNING_MS = 14 * 24 * 60 * 60 * 1000;

/**
 * Finds the reason why clients refuse a certificate now, or soon will: it, or one of its chain, has expired, expires
 * within 14 days, or is not valid yet.
 * @param now - by the machine's clock, in Unix milliseconds
 */
export function findExpiry({ cert }: Pick<TlsFiles, 'cert'>, now: number): string | undefined {
  const all = (cert.match(CERTIFICATE) ?? []).map(
    (pem) => new X509Certificate(`${pem} CERTIFICATE-----`),
  );
  const begin = Math.max(...all.map(({ validFrom }) => Date.parse(validFrom)));
  const end = Math.min(...all.map(({ validTo }) => Date.parse(validTo)));
  const replace = 'replace the file, then send SIGHUP to the gateway';
  if (end <= now) return `expired on ${toText(end)}: ${replace}`;
  if (end - now < EXPIRY_WARNING_MS) return `expires on ${toText(end)}: ${replace}`;
  if (begin <= now) return undefined;
  return `is not valid before ${toText(begin)}: check the clock of this machine`;
}

function toText(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
