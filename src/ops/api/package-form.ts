import { createHash } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { allowSmallChunks } from '../../http/small-chunks.ts';
import { once } from '../../lib/once.ts';
import { gatewayStorage, isGatewayFile } from '../../multer/gateway-storage.ts';
import type { GatewayFile, GatewayStorage } from '../../multer/gateway-storage.ts';
import { loadMulter } from '../../multer/load-multer.ts';
import type { FormSource } from '../../multer/load-multer.ts';
import { MAX_FILES, packageFields } from '../../operator/inputs.ts';
import { plainText } from '../../operator/plain-text.ts';
import { BadControl } from '../responses.ts';
import { readInput } from '../route.ts';
import { callerOf, checkPayload, signedPayload } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';
import { FormBody } from './form-body.ts';
import { noteBegin, noteEnd, recordOf } from './record-calls.ts';
import { ApiRefusal } from './refusals.ts';

const formFields = packageFields.omit({ account: true });

/** The form of a package that is sent in one request. */
export const packageForm = formFields.extend({
  file: z
    .array(z.string().meta({ format: 'binary' }))
    .min(1)
    .max(MAX_FILES)
    .describe('the files of the package; fields and files may come in any order'),
});

const LIMITS = { files: MAX_FILES, fields: 16, fieldSize: 16 * 1024, parts: 40 };

const loadOnce = once(loadMulter);

/** A file that multer has received, and the gateway has stored. */
type ReceivedFile = GatewayFile & { readonly originalname: string };

/**
 * Makes a firmware package of the files of one request: stores them, then claims them. If anything fails, no file is kept.
 * Handles only forms; leaves every other request to the routes behind it.
 */
export function createPackageForm(deps: ApiDependencies): RequestHandler {
  return async (request, response, next) => {
    if (request.method !== 'POST' || request.path !== '/' || !isForm(request)) {
      next();
      return;
    }
    const { account, viewer } = callerOf(request);
    // Only to refuse the form before it is read: each of its files is admitted again, one after the other.
    await deps.limits?.requireUpload(account.id);
    allowSmallChunks(request);
    const hash = signedPayload(request) === undefined ? undefined : createHash('sha256');
    const form = new FormBody(request, (chunk) => hash?.update(chunk));
    await receive(deps, request, form);
    const record = recordOf(request);
    const files = receivedFiles(form);
    try {
      if (!noteBegin(request)) throw new ApiRefusal(400, 'InvalidForm', 'the client is gone');
      if (hash !== undefined) checkPayload(request, hash.digest('hex'));
      const fields = readInput(formFields, { ...readBody(form) });
      if (files.length === 0) throw new BadControl('file: expected at least one file');
      const names = files.map(({ originalname }) => originalname);
      readInput(z.array(plainText), names);
      const claimed = files.map(({ key, originalname }) => ({ key, name: originalname }));
      const wanted = { ...fields, account: account.id };
      const made = await deps.actions.claim(viewer, wanted, claimed, record.requestId);
      record.keys = files.map(({ key }) => key);
      record.to = 'claimed';
      noteEnd(request);
      response.status(201).json(made);
    } catch (error) {
      await withdrawAll(deps, files, record.requestId);
      throw error;
    }
  };
}

function isForm({ headers }: Request): boolean {
  return /^multipart\/form-data\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function readBody({ body }: FormSource): object {
  return typeof body === 'object' && body !== null ? body : {};
}

function receivedFiles({ files }: FormSource): ReceivedFile[] {
  return Array.isArray(files) ? files.filter(isReceived) : [];
}

function isReceived(file: object): file is ReceivedFile {
  return isGatewayFile(file) && 'originalname' in file;
}

/**
 * Stores the files of a form. Rejects as soon as it is refused, without its rest.
 * @param form - gets the fields and the files
 */
async function receive(deps: ApiDependencies, request: Request, form: FormBody): Promise<void> {
  const malformed = new Set<unknown>();
  const read = loadOnce()({
    storage: createStorage(deps, request, (error) => malformed.add(error)),
    limits: LIMITS,
    streamHandler: (source, parser) => {
      parser.once('error', (error) => malformed.add(error));
      // Multer ends its reading so, and would then wait for the end of a form that it refuses.
      parser.once('unpipe', () => source.destroy());
      source.pipe(parser);
    },
  }).array('file', MAX_FILES);
  try {
    await new Promise<void>((resolve, reject) => {
      read(form, undefined, (error) => {
        if (error === undefined || error === null) resolve();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is passed on as it is
        else reject(error);
      });
    });
  } catch (error) {
    // Without a usable boundary, multer fails before it reads.
    const isMalformed = malformed.has(error) || !form.readableDidRead;
    if (!isMalformed || error === form.errored || !(error instanceof Error)) throw error;
    throw new ApiRefusal(400, 'InvalidForm', `the form cannot be read: ${error.message}`);
  }
}

/**
 * Makes the storage for the files of one request. All of them together have at most the bytes that it announces, so each
 * waits for the one before it: else the same bytes would count twice against the limits. The files behind one that is
 * refused are not read, and fail with its error.
 * @param onMalformed - gets the error of a file whose end is missing
 */
function createStorage(
  { publicUrl, uploads }: ApiDependencies,
  request: Request,
  onMalformed: (error: unknown) => void,
): GatewayStorage {
  const length = request.headers['content-length'];
  let left = length === undefined ? undefined : Number(length);
  const { requestId } = recordOf(request);
  const store: ApiDependencies['uploads']['deposit'] = async (file) => {
    const stored = await uploads.deposit({ ...file, announcedSize: left, requestId });
    if (left !== undefined) left -= stored.object.size;
    return stored;
  };
  let previous: Promise<unknown> = Promise.resolve();
  const deposit: typeof store = (file) => {
    const stored = previous.then(() => store(file));
    previous = stored;
    return stored;
  };
  const { account } = callerOf(request);
  const storage = gatewayStorage(
    { uploads: { deposit, withdraw: uploads.withdraw }, config: { publicUrl, trustedProxies: [] } },
    { accountId: () => account.id },
  );
  return {
    _handleFile: (_form, file, done) => {
      file.stream.once('error', onMalformed);
      storage._handleFile(request, file, done);
    },
    _removeFile: (_form, file, done) => {
      storage._removeFile(request, file, done);
    },
  };
}

async function withdrawAll(
  { logger, uploads }: ApiDependencies,
  files: readonly ReceivedFile[],
  requestId: string,
): Promise<void> {
  const outcomes = await Promise.allSettled(files.map((file) => uploads.withdraw(file, requestId)));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    const error: unknown = outcome.reason;
    logger.error({ err: error }, 'could not delete a file of a form that was refused');
  }
}
