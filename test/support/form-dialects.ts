import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** What a client sends, and to which host. */
export interface FormToPost {
  readonly host: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly bytes: Buffer;
  /** A folder for clients that need the file on disk. */
  readonly folder: string;
}

/** One way in which a real client posts a form. @returns the status */
export interface FormDialect {
  readonly name: string;
  post(form: FormToPost): Promise<number>;
}

const run = promisify(execFile);

/** Sends the bytes of a request unchanged, and reads the complete response. */
export async function sendRaw(host: string, head: string, body: Buffer): Promise<string> {
  const { hostname, port } = new URL(host);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  // A server that refuses the request may stop reading; only its response matters.
  socket.on('error', () => undefined);
  socket.write(head);
  socket.write(body);
  return (await buffer(socket)).toString('latin1');
}

interface PartStyle {
  readonly boundary: string;
  readonly fieldHead: (name: string) => string;
  readonly fileHead: string;
  readonly userAgent: string;
}

/** Posts a form with the same bytes as a real client, except for the values. */
function replay(
  name: string,
  { boundary, fieldHead, fileHead, userAgent }: PartStyle,
): FormDialect {
  return {
    name,
    post: async ({ host, fields, bytes }) => {
      const text = fields
        .map(([field, value]) => `--${boundary}\r\n${fieldHead(field)}\r\n\r\n${value}\r\n`)
        .join('');
      const body = Buffer.concat([
        Buffer.from(`${text}--${boundary}\r\n${fileHead}\r\n\r\n`),
        bytes,
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
      const head =
        `POST / HTTP/1.1\r\nHost: ${new URL(host).host}\r\nUser-Agent: ${userAgent}\r\n` +
        `Connection: close\r\nContent-Length: ${String(body.length)}\r\n` +
        `Content-Type: multipart/form-data; boundary=${boundary}\r\n\r\n`;
      const response = await sendRaw(host, head, body);
      return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]);
    },
  };
}

const disposition = (name: string): string => `Content-Disposition: form-data; name="${name}"`;

/** Forms of real clients, recorded byte by byte, and one form that types its file as text. */
export const RECORDED_DIALECTS: readonly FormDialect[] = [
  replay('httpmime 4.5, the sample of the GenerateOTAUploadURL page', {
    boundary: 'Yq3sG9kHb8rXl0vPzTnWcE5uJm7aQfDoI',
    userAgent: 'Apache-HttpClient/4.5.3 (Java/1.8.0_202)',
    fieldHead: (name) =>
      `${disposition(name)}\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: 8bit`,
    fileHead: `${disposition('file')}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary`,
  }),
  replay('python-requests, files= for everything', {
    boundary: '0f3a5c1b9d7e4f2a8b6c4d2e0f1a3b5c',
    userAgent: 'python-requests/2.31.0',
    fieldHead: (name) => `${disposition(name)}; filename="${name}"`,
    fileHead: `${disposition('file')}; filename="file"`,
  }),
  replay('python-requests, data= and files=', {
    boundary: '1c9d7e4f2a8b6c4d2e0f1a3b5c0f3a5c',
    userAgent: 'python-requests/2.31.0',
    fieldHead: disposition,
    fileHead: `${disposition('file')}; filename="firmware.bin"`,
  }),
  replay('a browser', {
    boundary: '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    fieldHead: disposition,
    fileHead: `${disposition('file')}; filename="firmware.bin"\r\nContent-Type: application/octet-stream`,
  }),
  replay('curl -F file=text, no filename and no type', {
    boundary: '------------------------d74496d66958873e',
    userAgent: 'curl/7.88.1',
    fieldHead: disposition,
    fileHead: disposition('file'),
  }),
  replay('a file typed as text, without a filename', {
    boundary: 'text-typed',
    userAgent: 'none',
    fieldHead: disposition,
    fileHead: `${disposition('file')}\r\nContent-Type: text/plain; charset=utf-8`,
  }),
];

/** fetch with FormData, as in Node and browsers. */
export const FETCH: FormDialect = {
  name: 'fetch with FormData',
  post: async ({ host, fields, bytes }) => {
    const form = new FormData();
    for (const [name, value] of fields) form.append(name, value);
    form.append('file', new Blob([bytes]), 'firmware.bin');
    const response = await fetch(host, { method: 'POST', body: form });
    await response.arrayBuffer();
    return response.status;
  },
};

/** The real curl, which waits for `100 Continue` before a large body. */
export const CURL: FormDialect = {
  name: 'curl -F',
  post: async ({ host, fields, bytes, folder }) => {
    const path = join(folder, 'firmware.bin');
    await writeFile(path, bytes);
    const form = fields.flatMap(([name, value]) => ['--form-string', `${name}=${value}`]);
    const args = [
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      ...form,
      '-F',
      `file=@${path}`,
      host,
    ];
    const { stdout } = await run('curl', args);
    return Number(stdout);
  },
};
