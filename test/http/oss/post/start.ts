import { request as requestHttp } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { ManualClock } from '../../../../src/lib/clock.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import type { TestGatewayOptions } from '../../../../src/testing/index.ts';
import type { StoredUpload } from '../../../../src/uploads/upload.ts';
import { NOW, writeForm } from './form.ts';
import type { Form } from './form.ts';
import { startTestGateway } from '../../../support/gateways.ts';
import type { EngineGateway } from '../../../support/gateways.ts';

export interface OssResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Elements of the XML; empty when the body is not XML. */
  readonly xml: Readonly<Record<string, string>>;
}

/** A listening gateway. */
export interface Oss {
  readonly gateway: EngineGateway;
  readonly clock: ManualClock;
  readonly port: number;
  /** The errors that it has logged. */
  readonly errors: object[];
  /** One entry for each client whose closed connection it has noticed. */
  readonly departures: object[];
  /** Posts a form. */
  post(
    form: Form,
    change?: { readonly path?: string; readonly host?: string },
  ): Promise<OssResponse>;
  send(options: SendOptions): Promise<OssResponse>;
  /** Opens a connection to it. */
  dial(): Promise<Socket>;
  stored(key: string): Promise<StoredUpload | undefined>;
  /** The bytes of a stored object. */
  read(key: string): Promise<Buffer>;
  /** The number of bodies that are coming in. */
  uncommitted(): Promise<number>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

export async function startOss(options: TestGatewayOptions = {}): Promise<Oss> {
  const errors: object[] = [];
  const departures: object[] = [];
  const clock = new ManualClock(NOW);
  const logger = {
    ...silentLogger,
    info: (details: object, message: string) => {
      if (message.endsWith('(incomplete)')) departures.push(details);
    },
    error: (details: object) => errors.push(details),
  };
  const parts = { logger, wallClock: clock, ...options.parts };
  const gateway = await startTestGateway({ ...options, clock, parts });
  const { port } = await gateway.listen();
  return {
    gateway,
    clock,
    port,
    errors,
    departures,
    post: (form, { path = '/', host } = {}) => {
      const { body, headers } = writeForm(form);
      const all = { ...headers, ...(host !== undefined && { Host: host }) };
      return send(port, { method: 'POST', path, headers: all, body });
    },
    send: (what) => send(port, what),
    dial: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    stored: async (key) => {
      const upload = await gateway.records.ledger.findUpload(key);
      return upload?.state === 'stored' ? upload : undefined;
    },
    read: async (key) => {
      const response = await gateway.fetch(gateway.downloadUrl(key));
      if (!response.ok) throw new Error(`no object ${key}`);
      return Buffer.from(await response.arrayBuffer());
    },
    uncommitted: () => gateway.inventory.countUncommitted(),
    close: () => gateway.close(),
  };
}

function send(port: number, options: SendOptions): Promise<OssResponse> {
  const { method = 'GET', path = '/', headers = {}, body = Buffer.alloc(0) } = options;
  const length = body.length > 0 ? { 'Content-Length': String(body.length) } : {};
  return new Promise((resolve, reject) => {
    const request = requestHttp(
      { port, host: '127.0.0.1', method, path, headers: { ...length, ...headers } },
      (response) => {
        buffer(response)
          .then((bytes) => {
            resolve(toResponse(response.statusCode ?? 0, response.headers, bytes.toString()));
          })
          .catch(reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const parser = new XMLParser({ parseTagValue: false, trimValues: false });

function toResponse(status: number, headers: IncomingHttpHeaders, body: string): OssResponse {
  const isXml = headers['content-type'] === 'application/xml' && body !== '';
  if (isXml && XMLValidator.validate(body) !== true) throw new Error(`not XML: ${body}`);
  const document = isXml ? parser.parse(body) : {};
  return { status, headers, body, xml: document.Error ?? document.PostResponse ?? {} };
}
