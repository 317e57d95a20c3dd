import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { allowSmallChunks } from '../../http/small-chunks.ts';
import { gatewayStorage, isGatewayFile } from '../../multer/gateway-storage.ts';
import type { GatewayFile } from '../../multer/gateway-storage.ts';
import { loadMulter } from '../../multer/load-multer.ts';
import { MAX_FILES, packageFields } from '../../operator/inputs.ts';
import { BadControl } from '../responses.ts';
import { readInput } from '../route.ts';
import { callerOf, checkPayload, signedPayload } from './authenticate.ts';
import type { ApiDependencies } from './dependencies.ts';

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

/** A file that multer has received, and the gateway has stored. */
type ReceivedFile = Express.Multer.File & GatewayFile;

/**
 * Makes a firmware package of the files of one request: stores them, then claims them. If anything fails, no file is kept.
 * Handles only forms; leaves every other request to the routes behind it.
 */
export function createPackageForm(deps: ApiDependencies): RequestHandler {
  let receive: RequestHandler | undefined;
  return async (request, response, next) => {
    if (request.method !== 'POST' || request.path !== '/' || !isForm(request)) {
      next();
      return;
    }
    receive ??= createReceiver(deps);
    allowSmallChunks(request);
    const hash = hashBody(request);
    await run(receive, request, response);
    const files = receivedFiles(request);
    try {
      if (hash !== undefined) checkPayload(request, hash());
      const fields = readInput(formFields, { ...readBody(request) });
      if (files.length === 0) throw new BadControl('file: expected at least one file');
      const claimed = files.map(({ key, originalname }) => ({ key, name: originalname }));
      const made = await deps.actions.claim(
        callerOf(request).viewer,
        {
          ...fields,
          account: callerOf(request).account.id,
        },
        claimed,
      );
      response.status(201).json(made);
    } catch (error) {
      await Promise.all(files.map((file) => deps.uploads.withdraw(file)));
      throw error;
    }
  };
}

function isForm({ headers }: Request): boolean {
  return /^multipart\/form-data\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function readBody({ body }: Request): object {
  const given: unknown = body;
  return typeof given === 'object' && given !== null ? given : {};
}

function receivedFiles({ files }: Request): ReceivedFile[] {
  return Array.isArray(files) ? files.filter(isGatewayFile) : [];
}

/** Multer and the parser below it are loaded for the first form only. */
function createReceiver({ publicUrl, uploads }: ApiDependencies): RequestHandler {
  const storage = gatewayStorage(
    { uploads, config: { publicUrl, trustedProxies: [] } },
    { accountId: (request) => callerOf(request).account.id },
  );
  return loadMulter()({ storage, limits: LIMITS }).array('file', MAX_FILES);
}

function run(handler: RequestHandler, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: unknown): void => {
      if (error === undefined || error === null) resolve();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is passed on as it is
      else reject(error);
    };
    void handler(request, response, done);
  });
}

/** @returns a function that returns the SHA-256 of the body after its end; undefined when the body is not signed */
function hashBody(request: Request): (() => string) | undefined {
  if (signedPayload(request) === undefined) return undefined;
  const hash = createHash('sha256');
  // Multer pipes the request in the same tick, so no byte is missed.
  request.on('data', (chunk: Buffer) => hash.update(chunk));
  return () => hash.digest('hex');
}
