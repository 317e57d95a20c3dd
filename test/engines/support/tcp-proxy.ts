import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** Stands between a gateway and an engine, and lets the network fail. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [client: Socket, engine: Socket]>();
  readonly #host: string;
  /** Is called with what a client sends, before the engine gets it. */
  onSent: ((bytes: Buffer) => void) | undefined;
  #target: URL;
  #mode: 'pass' | 'hold' | 'refuse' = 'pass';

  private constructor(server: Server, target: URL, host: string) {
    this.#server = server;
    this.#target = target;
    this.#host = host;
  }

  /**
   * @param target - the address of the engine
   * @param host - where it listens
   */
  static async start(target: URL, host = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target, host);
    server.on('connection', (client) => {
      const { hostname, port } = proxy.#target;
      proxy.#accept(client, connect(Number(port), hostname));
    });
    server.listen(0, host);
    await once(server, 'listening');
    return proxy;
  }

  /** @returns the address of the engine as it is reached through the proxy */
  through(target: URL): URL {
    const url = new URL(target);
    const address = this.#server.address();
    url.hostname = this.#host;
    url.port = String(typeof address === 'object' && address !== null ? address.port : 0);
    return url;
  }

  /** Passes everything on, also what was held. */
  pass(): void {
    this.#mode = 'pass';
    for (const sockets of this.#pairs) for (const socket of sockets) socket.resume();
  }

  /** Leads new connections to another engine. */
  leadTo(target: URL): void {
    this.#target = target;
  }

  /** Passes nothing on, as an engine that stands still. */
  hold(): void {
    this.#mode = 'hold';
    for (const sockets of this.#pairs) for (const socket of sockets) socket.pause();
  }

  /** Cuts all connections, and every new one. */
  refuse(): void {
    this.#mode = 'refuse';
    this.cut();
  }

  cut(): void {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
  }

  get connections(): number {
    return this.#pairs.size;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, engine: Socket): void {
    const pair = [client, engine] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => this.onSent?.(bytes));
    client.pipe(engine).pipe(client);
    if (this.#mode === 'refuse') client.destroy();
    if (this.#mode === 'hold') for (const socket of pair) socket.pause();
  }
}
