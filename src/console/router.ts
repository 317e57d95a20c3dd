import express, { Router } from 'express';
import type { Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { explainIssues } from '../faults/fault-spec.ts';
import { isUnderLoopbackName } from '../http/own-page.ts';
import { isLocal, peerOf } from '../http/peer.ts';
import { OperatorError } from '../operator/errors.ts';
import { viewerOf } from '../operator/viewer.ts';
import type { Challenges } from './challenges.ts';
import { formatCookie } from './cookies.ts';
import { requireOwnPage } from './own-page.ts';
import type { PageFile, PageFiles } from './page-files.ts';
import { SESSION_MS } from './sessions.ts';
import type { Session, Sessions } from './sessions.ts';
import { cookiePath, signInInput, signOutInput } from './shapes.ts';
import type { SessionShape, SessionStateShape } from './shapes.ts';
import { TooManyTries, checkProof } from './sign-in.ts';
import type { SignInDependencies } from './sign-in.ts';

/** What the console works with. */
export interface ConsoleDependencies extends SignInDependencies {
  readonly challenges: Challenges;
  readonly sessions: Sessions;
  readonly page: () => PageFiles;
  /** The address of the gateway as clients see it; its pages are our own. */
  readonly publicUrl: string | undefined;
  /** The file with the generated access key; undefined when it is configured. */
  readonly credentialsFile: string | undefined;
  /** Notes in the record of a request which account it concerns. */
  readonly noteAccount: (request: object, accountId: string | undefined) => void;
}

/** Of everything below the console, also of errors. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': [
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'",
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "require-trusted-types-for 'script'; trusted-types 'none'",
  ].join('; '),
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Their names change with their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** The page for people with its sign-in, mounted at `/_gateway/console`. The router that mounts it handles errors. */
export function createConsoleRouter(deps: ConsoleDependencies): Router {
  const router = Router();
  router.get('/', (request, response) => {
    // Relative, so that it works below any prefix.
    if (pathOf(request).endsWith('/')) sendFile(request, response, deps.page().index);
    else response.writeHead(302, { Location: 'console/' }).end();
  });
  router.get('/assets/:name', (request, response, next) => {
    const file = deps.page().assets.get(request.params.name);
    if (file === undefined) {
      next();
      return;
    }
    response.setHeader('Cache-Control', FOR_EVER);
    sendFile(request, response, file);
  });
  router.get('/challenge', (_request, response) => {
    response.json({ challenge: deps.challenges.create() });
  });
  router.use('/session', (request, _response, next) => {
    requireOwnPage(request, deps.publicUrl);
    next();
  });
  const readJson = express.json({ type: () => true, limit: '4kb', inflate: false });
  router.get('/session', respondSession(deps));
  router.post('/session', readJson, signIn(deps));
  router.delete('/session', readJson, signOut(deps));
  return router;
}

/** Sets the headers that keep the page to itself. */
export const protectPage: RequestHandler = (_request, response, next) => {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  next();
};

/** Whether a request is for a file of the page, and not for data. */
export function isForPageFile({ path }: Pick<Request, 'path'>): boolean {
  return path === '/' || path.startsWith('/assets/');
}

function sendFile(request: Request, response: Response, { gzip, plain, type }: PageFile): void {
  response.setHeader('Vary', 'Accept-Encoding');
  const isPacked = gzip !== undefined && request.acceptsEncodings('gzip', 'identity') === 'gzip';
  const bytes = isPacked ? gzip : plain;
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': bytes.length,
    ...(isPacked && { 'Content-Encoding': 'gzip' }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function respondSession(deps: ConsoleDependencies): RequestHandler {
  return (request, response) => {
    const { credentialsFile } = deps;
    const session = deps.sessions.find(request);
    deps.noteAccount(request, session?.account.id);
    // A page of another site may let its own name point to this machine.
    const isHere = isLocal(request) && isUnderLoopbackName(request);
    const mayTell = session === undefined && credentialsFile !== undefined && isHere;
    const state: SessionStateShape = {
      session: session === undefined ? null : show(deps, session),
      ...(mayTell && { credentialsFile }),
    };
    response.json(state);
  };
}

function signIn(deps: ConsoleDependencies): RequestHandler {
  const { accounts, sessions } = deps;
  return async (request, response) => {
    const { path = ownPath(request), ...input } = parse(signInInput, request.body);
    deps.noteAccount(request, accounts.find(input.id)?.account.id);
    const credential = await tryProof(deps, request, response, input);
    sessions.endAll(request);
    const { session, token } = sessions.open(credential);
    setCookie(deps, request, response, { value: token, path, maxAgeMs: SESSION_MS });
    response.status(201).json({ session: show(deps, session) });
  };
}

/** Adds to the refusal of one who has tried too often how long to wait. */
async function tryProof(
  deps: ConsoleDependencies,
  request: Request,
  response: Response,
  input: Parameters<typeof checkProof>[2],
): ReturnType<typeof checkProof> {
  try {
    return await checkProof(deps, peerOf(request) ?? '', input);
  } catch (error) {
    if (error instanceof TooManyTries) {
      response.setHeader('Retry-After', Math.ceil(error.waitMs / 1000));
    }
    throw error;
  }
}

function signOut(deps: ConsoleDependencies): RequestHandler {
  return (request, response) => {
    const { path = ownPath(request) } = parse(signOutInput, request.body ?? {});
    deps.noteAccount(request, deps.sessions.find(request)?.account.id);
    deps.sessions.endAll(request);
    setCookie(deps, request, response, { value: '', path, maxAgeMs: 0 });
    const state: SessionStateShape = { session: null };
    response.json(state);
  };
}

function setCookie(
  { sessions }: ConsoleDependencies,
  request: Request,
  response: Response,
  cookie: { readonly value: string; readonly path: string; readonly maxAgeMs: number },
): void {
  const text = formatCookie(request, { ...cookie, name: sessions.cookieName });
  response.setHeader('Set-Cookie', text);
}

function show(
  { accounts }: ConsoleDependencies,
  { accessKey, account, expiresAt }: Session,
): SessionShape {
  return {
    account: { id: account.id, operator: viewerOf(accounts, account).isOperator },
    accessKeyId: accessKey.id,
    expiresAt: new Date(expiresAt).toISOString(),
  };
}

/** @returns where `/_gateway/` is, below the path at which a host application has mounted the gateway */
function ownPath({ baseUrl }: Request): string {
  return parse(cookiePath, baseUrl.replace(/console$/, ''));
}

function pathOf({ originalUrl }: Request): string {
  return originalUrl.replace(/\?.*$/s, '');
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new OperatorError('invalid', 'InvalidRequest', explainIssues(result.error));
}
