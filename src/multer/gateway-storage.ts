import type { IncomingMessage } from 'node:http';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import type { DepositedFile, Gateway } from '../gateway.ts';
import { requestHost } from '../http/public-host.ts';

/** A file of a form, as multer hands it to a storage engine. */
export interface IncomingFile {
  readonly fieldname: string;
  readonly originalname: string;
  readonly mimetype: string;
  readonly stream: Readable;
}

/** What an upload leaves on `req.file`, beside what multer puts there. */
export interface GatewayFile extends DepositedFile {
  /** In bytes. */
  readonly size: number;
  /** What CreateOTAFirmware takes to claim it. */
  readonly firmwareUrl: string;
}

/** Chooses something for a file, at once or later. */
export type Chooser<T> = (request: IncomingMessage, file: IncomingFile) => T | Promise<T>;

/** How files become uploads; whatever is absent is chosen. */
export interface GatewayStorageOptions {
  /** Gives the object key of a file. Without it each file gets a new key, `uploads/<id>.<extension>`. */
  readonly key?: Chooser<string>;
  /** Gives the account that may claim a file with a new key. Without it: the account, when there is only one. */
  readonly accountId?: Chooser<string>;
  /** Refuse a file whose key holds one already, instead of replacing it. */
  readonly forbidOverwrite?: boolean;
}

/** The interface of multer's storage engines, as far as this one is concerned. */
export interface GatewayStorage {
  /** Stores a file. */
  _handleFile(
    request: IncomingMessage,
    file: IncomingFile,
    done: (error?: unknown, info?: GatewayFile) => void,
  ): void;
  /** Takes a file back. */
  _removeFile(request: IncomingMessage, file: object, done: (error: Error | null) => void): void;
}

/**
 * Makes a storage engine for multer that puts files into a gateway: hashed, durable, in its ledger. They have to be
 * claimed in time, by `gateway.uploads.claim` or CreateOTAFirmware, or the gateway purges them.
 *
 *     const upload = multer({ storage: gatewayStorage(gateway), limits: { fileSize: 50e6 } });
 *     app.post('/firmware', upload.single('firmware'), (req, res) => res.json(req.file));
 *
 * Of a request that fails, whatever the reason, no file is left. The gateway's `maxUpload` holds beside multer's own
 * limits; a file above it fails with a DepositError.
 */
export function gatewayStorage(
  gateway: Pick<Gateway, 'uploads' | 'config'>,
  options: GatewayStorageOptions = {},
): GatewayStorage {
  const { config, uploads } = gateway;
  const handle = async (request: IncomingMessage, file: IncomingFile): Promise<GatewayFile> => {
    const key = await options.key?.(request, file);
    const accountId = await options.accountId?.(request, file);
    const stored = await uploads.deposit({
      bytes: untruncated(file.stream),
      key,
      accountId,
      suffix: suffixOf(file.originalname),
      headers: { 'content-type': file.mimetype },
      forbidOverwrite: options.forbidOverwrite,
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
      // One that never came to be has nothing to take back.
      const removing = isGatewayFile(file) ? uploads.withdraw(file) : Promise.resolve();
      removing.then(() => done(null), done);
    },
  };
}

/** @returns whether a file of multer's came from this engine: gives `req.file` its type */
export function isGatewayFile<T extends object>(file: T | undefined): file is T & GatewayFile {
  return file !== undefined && 'key' in file && 'object' in file && 'firmwareUrl' in file;
}

/**
 * Reads a file's stream. One that was cut at a limit ends like any other. Giving up does not destroy it: multer would
 * tell of that, and not of the reason.
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
