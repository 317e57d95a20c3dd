import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../support/built-gateway.ts';
import type { PrivateCa } from '../../support/private-ca.ts';

const DEPLOY = join(__dirname, '../../../examples/deploy');

/** A proxy that serves on loopback. */
export interface Proxy {
  /** By HTTPS, as the shipped configurations serve. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** What a test replaces in a shipped configuration. */
export interface ProxySite {
  /** A folder for the files of the proxy. */
  readonly folder: string;
  readonly tls: PrivateCa;
  readonly upstreamPort: number;
}

/** @returns the text of a shipped file */
export function shipped(name: string): string {
  return readFileSync(join(DEPLOY, name), 'utf8');
}

/** Replaces a text that must be there. */
export function replace(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the shipped configuration has no ${from}`);
  return text.replaceAll(from, to);
}

/** Starts nginx of Debian with the shipped configuration. */
export function startNginx({ upstreamPort, ...site }: ProxySite): Promise<Proxy> {
  return startSite(site, [['127.0.0.1:9070', `127.0.0.1:${String(upstreamPort)}`]]);
}

/** Starts nginx of Debian with the shipped configuration, as the shipped compose file changes it for two gateways. */
export function startBalancer(
  site: Omit<ProxySite, 'upstreamPort'>,
  upstreamPorts: readonly [number, number],
): Promise<Proxy> {
  const [, from = '', to = ''] =
    /sed 's\/(.+?)\/(.+?)\/'/.exec(shipped('compose-cluster.yaml')) ?? [];
  const [a, b] = upstreamPorts.map((port) => `127.0.0.1:${String(port)}`);
  return startSite(site, [
    [from.replaceAll('\\', ''), to],
    ['gateway-a:9070', a],
    ['gateway-b:9070', b],
  ]);
}

async function startSite(
  { folder, tls }: Omit<ProxySite, 'upstreamPort'>,
  upstream: readonly (readonly (string | undefined)[])[],
): Promise<Proxy> {
  const port = await freePort();
  const site = [
    ['listen 443 ssl;', `listen 127.0.0.1:${String(port)} ssl;`],
    ['    listen [::]:443 ssl;\n', ''],
    ['/etc/nginx/tls/fullchain.pem', tls.certFile],
    ['/etc/nginx/tls/privkey.pem', tls.keyFile],
    ...upstream,
  ].reduce((text, [from = '', to = '']) => replace(text, from, to), shipped('nginx.conf'));
  return runNginx(folder, port, site);
}

/** Starts Caddy of Debian with the shipped configuration. */
export async function startCaddy({ folder, tls, upstreamPort }: ProxySite): Promise<Proxy> {
  const port = await freePort();
  const site = '{$OTA_GATEWAY_SITE:ota.example.com} {\n';
  // Instead of the certificate that Caddy would get for a public name.
  const withTls = replace(
    shipped('Caddyfile'),
    site,
    `${site}\ttls ${tls.certFile} ${tls.keyFile}\n`,
  );
  return runCaddy(folder, port, withTls, {
    OTA_GATEWAY_SITE: `https://127.0.0.1:${String(port)}`,
    OTA_GATEWAY_UPSTREAM: `127.0.0.1:${String(upstreamPort)}`,
  });
}

/**
 * Starts nginx of Debian.
 * @param folder - for its files
 * @param site - its `server` block, which listens on the port of 127.0.0.1
 */
export async function runNginx(folder: string, port: number, site: string): Promise<Proxy> {
  const place = mkdtempSync(join(folder, 'nginx-'));
  const file = join(place, 'nginx.conf');
  writeFileSync(join(place, 'site.conf'), site);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${place}/${name};`,
  );
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${place}/pid; error_log stderr;
    events {}
    http { access_log off; ${temporary.join(' ')} include ${place}/site.conf; }`,
  );
  return run(port, 'nginx', ['-p', place, '-c', file, '-e', 'stderr'], {});
}

/**
 * Starts Caddy of Debian.
 * @param folder - for its files
 * @param site - its site block, for the port
 */
export async function runCaddy(
  folder: string,
  port: number,
  site: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Proxy> {
  const place = mkdtempSync(join(folder, 'caddy-'));
  const file = join(place, 'Caddyfile');
  const globals = '{\n\tadmin off\n\tauto_https disable_redirects\n}\n';
  writeFileSync(file, globals + site);
  const command = ['run', '--adapter', 'caddyfile', '--config', file];
  return run(port, 'caddy', command, { HOME: place, ...environment });
}

const started = new Set<ChildProcess>();

/** Kills proxies that a failed test has left running. */
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

async function run(
  port: number,
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Proxy> {
  const env = { PATH: process.env['PATH'], ...environment };
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  started.add(child);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
  await eventually(() => {
    if (child.exitCode !== null) throw new Error(`${program} has ended: ${errors}`);
    return accepts(port);
  });
  return {
    url: `https://127.0.0.1:${String(port)}`,
    port,
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      started.delete(child);
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** @returns a port that nothing listens on: a proxy does not say which one it has chosen */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('not a TCP port');
  return address.port;
}
