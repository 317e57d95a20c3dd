import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const STYLE =
  'body{max-width:40rem;margin:3rem auto;padding:0 1rem;font:1rem/1.5 sans-serif}' +
  'pre{padding:.75rem;overflow:auto;background:#f3f3f3;color:#222}';

/** The same for everybody: it shows nothing of the request, the settings or the data. */
const PAGE = Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>OTA Upload Gateway</title>
<style>${STYLE}</style>
</head>
<body>
<h1>OTA Upload Gateway</h1>
<p>This service speaks the OTA API of Alibaba Cloud's IoT Platform, which signs an upload, and the form upload of OSS,
which receives it. Point the endpoint of an Alibaba Cloud SDK, or the form of a web page, at this address.</p>
<p>To try it, run this on the machine of the gateway:</p>
<pre>ota-gateway upload README.md --name demo --version 1.0.0</pre>
<p>Its state: <a href="_gateway/health/ready">/_gateway/health/ready</a>. Its documentation: the file
<code>README.md</code> and the folder <code>docs/</code> of the package <code>ota-upload-gateway</code>.</p>
</body>
</html>
`);

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Length': String(PAGE.length),
  'Content-Security-Policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Accept, Authorization',
};

/** Responds with the page that a person sees who opens the address of the gateway in a browser. */
export async function respondFrontPage(
  { method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, HEADERS).end(method === 'HEAD' ? undefined : PAGE);
  return Promise.resolve();
}
