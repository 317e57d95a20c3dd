import type { IncomingMessage } from 'node:http';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import type { DepositedFile, Gateway } from '../gateway.ts';
import { createOriginReader, peerOf } from '../http/peer.ts';
import { requestHost } from '../http/public-host.ts';

/** A file of a form, as multer passes it to a storage engine. */
export interface IncomingFile {
  readonly fieldname: string;
  readonly originalname: string;
  readonly mimetype: string;
  readonly stream: Readable;
}

/** The members that this engine adds to `req.file`, beside those of multer. */
export interface GatewayFile extends DepositedFile {
  /** In bytes. */
  readonly size: number;
  /** The FirmwareUrl that claims it with CreateOTAFirmware. */
  readonly firmwareUrl: string;
}

/** Chooses a value for a file; may return a promise. */
export type Chooser<T> = (request: IncomingMessage, file: IncomingFile) => T | Promise<T>;

/** How files become uploads; all options have defaults. */
export interface GatewayStorageOptions {
  /** Chooses the object key of a file. Without it each file gets a new key, `uploads/<id>.<extension>`. */
  readonly key?: Chooser<string>;
  /** Chooses the account that may claim a file with a new key. Without it: the account, when there is only one. */
  readonly accountId?: Chooser<string>;
  /** Refuses a file whose key already has one, instead of replacing it. */
  readonly forbidOverwrite?: boolean;
}

/** What the engine uses of a gateway. */
export interface StoringGateway {
  readonly uploads: Pick<Gateway['uploads'], 'deposit' | 'withdraw'>;
  readonly config: Pick<Gateway['config'], 'publicUrl' | 'trustedProxies'>;
}

/** The part of multer's interface for storage engines that this one implements. */
export interface GatewayStorage {
  /** Stores a file. */
  _handleFile(
    request: IncomingMessage,
    file: IncomingFile,
    done: (error?: unknown, info?: GatewayFile) => void,
  ): void;
  /** Removes a stored file. */
  _removeFile(request: IncomingMessage, file: object, done: (error: Error | null) => void): void;
}

/**
 * Makes a storage engine for multer that stores files in a gateway: hashed, durable, recorded in its ledger. The
 * gateway purges files that are not claimed in time, by `gateway.uploads.claim` or CreateOTAFirmware.
 *
 *     const upload = multer({ storage: gatewayStorage(gateway), limits: { fileSize: 50e6 } });
 *     app.post('/firmware', upload.single('firmware'), (req, res) => res.json(req.file));
 *
 * A request that fails, for any reason, leaves no file. The `maxUpload` of the gateway applies in addition to the
 * limits of multer; a file above it fails with a DepositError.
 */
export function gatewayStorage(
  gateway: StoringGateway,
  options: GatewayStorageOptions = {},
): GatewayStorage {
  const { config, uploads } = gateway;
  // The request comes from the host application, not through the app of the gateway.
  const readOrigin = createOriginReader(config.trustedProxies);
  const handle = async (request: IncomingMessage, file: IncomingFile): Promise<GatewayFile> => {
    const key = await options.key?.(request, file);
    const accountId = await options.accountId?.(request, file);
    readOrigin?.(request);
    const stored = await uploads.deposit({
      bytes: untruncated(file.stream),
      key,
      accountId,
      suffix: suffixOf(file.originalname),
      headers: { 'content-type': file.mimetype },
      forbidOverwrite: options.forbidOverwrite,
      peer: peerOf(request),
    });
    const host = requestHost(request, config.publicUrl);
    const path = stored.key.split('/').map(encodeURIComponent).join('/');
    return { ...stored, size: stored.object.size, firmwareUrl: `${host}/${path}` };
  };
  return {
    _handleFile: (request, file, done) => {
      handle(request, file).then((info) => done(undefined, info), done);
    },
    _removeFile: (_request, file, done) => {
      // A file that was never stored has nothing to remove.
      const removing = isGatewayFile(file) ? uploads.withdraw(file) : Promise.resolve();
      removing.then(() => done(null), done);
    },
  };
}

/** @returns whether this engine stored a file of multer; narrows the type of `req.file` */
export function isGatewayFile<T extends object>(file: T | undefined): file is T & GatewayFile {
  return file !== undefined && 'key' in file && 'object' in file && 'firmwareUrl' in file;
}

/**
 * Reads the stream of a file, and throws when multer has cut it at a limit: such a stream ends without an error.
 * Stopping early does not destroy the stream, because multer would report that instead of the reason.
 */
async function* untruncated(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (Buffer.isBuffer(chunk)) yield chunk;
  }
  if ('truncated' in stream && stream.truncated === true) {
    throw new Error('the file is larger than the limits of multer allow');
  }
}

function suffixOf(name: string): string | undefined {
  return /^\.([a-z0-9]{1,16})$/.exec(extname(name).toLowerCase())?.[1];
}
