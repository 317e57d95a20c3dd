import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { hasErrorCode } from '../lib/errno.ts';
import { makePrivateFolders } from '../lib/private-files.ts';
import type { Config } from './config.ts';
import { SettingsError, throwTogether } from './settings-error.ts';

/*
 * Checks of the files and folders that settings name. What is wrong with them is a configuration error: it names the
 * setting, what is wrong, what was expected, and what to do. No text has anything of the content of a file.
 */

/** @throws SettingsError when the certificate or its key cannot be used */
export function requireTlsFiles({ tlsCert, tlsKey }: Config): void {
  if (tlsCert === undefined || tlsKey === undefined) return;
  let certificate: X509Certificate | undefined;
  let key: KeyObject | undefined;
  throwTogether([
    () => {
      certificate = readCertificate(tlsCert);
    },
    () => {
      key = readKey(tlsKey);
    },
  ]);
  if (certificate === undefined || key === undefined) return;
  if (!certificate.checkPrivateKey(key)) {
    throw new SettingsError([
      {
        settings: ['tlsCert', 'tlsKey'],
        text: `the key ${tlsKey} does not belong to the certificate ${tlsCert}; a file with a chain must begin with the server's own certificate`,
      },
    ]);
  }
  requireSecureContext(tlsCert, tlsKey);
}

function readCertificate(path: string): X509Certificate {
  const text = readSettingFile('tlsCert', path, 'a PEM file with a certificate');
  if (!/^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/m.test(text)) {
    const expected = 'expected a PEM file with -----BEGIN CERTIFICATE-----';
    const advice = 'Convert a DER file with: openssl x509 -inform der -in FILE -out FILE.pem';
    throw problem('tlsCert', `${path} has no certificate: ${expected}. ${advice}`);
  }
  try {
    return new X509Certificate(text);
  } catch {
    throw problem('tlsCert', `the certificate in ${path} is damaged: create or copy it again`);
  }
}

function readKey(path: string): KeyObject {
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
    return createPrivateKey(text);
  } catch {
    throw problem('tlsKey', `the key in ${path} is damaged: create or copy it again`);
  }
}

/** Finds what only OpenSSL refuses, such as a key that is too short, or a damaged certificate of the chain. */
function requireSecureContext(tlsCert: string, tlsKey: string): void {
  try {
    createSecureContext({ cert: readFileSync(tlsCert), key: readFileSync(tlsKey) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw problem('tlsCert', `${tlsCert} cannot be used with the key ${tlsKey}: ${reason}`);
  }
}

/**
 * Reads a file that a setting names.
 * @param expected - what the file must be
 * @throws SettingsError when it cannot be read
 */
export function readSettingFile(setting: keyof Config, path: string, expected: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const advice = 'Check the path, and that the user of the gateway may read it';
    throw problem(
      setting,
      `${path} cannot be read (${reasonOf(error)}): expected ${expected}. ${advice}`,
    );
  }
}

/** Error codes for a path that cannot be a folder of this user. A full disk has others. */
const NO_FOLDER = [
  'EACCES',
  'EEXIST',
  'ENOTDIR',
  'EROFS',
  'EPERM',
  'ENOENT',
  'ELOOP',
  'ENAMETOOLONG',
];

/** Creates the data folder, unless it exists. @throws SettingsError when it cannot be used */
export function makeDataFolder({ dataDir }: Config): void {
  try {
    makePrivateFolders(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!NO_FOLDER.some((code) => hasErrorCode(error, code))) throw error;
    const advice = 'Give another folder, or change its owner or mode';
    throw problem(
      'dataDir',
      `${dataDir} cannot be used (${reasonOf(error)}): expected a folder that the user of the gateway may write. ${advice}`,
    );
  }
}

function problem(setting: keyof Config, text: string): SettingsError {
  return new SettingsError([{ settings: [setting], text }]);
}

/** @returns the code of a system error, and its text without the path */
function reasonOf(error: unknown): string {
  return String(error).replace(/^Error: |, .*$/g, '');
}
