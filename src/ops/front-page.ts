import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const STYLE =
  'body{max-width:40rem;margin:3rem auto;padding:0 1rem;font:1rem/1.5 sans-serif}' +
  'pre{padding:.75rem;overflow:auto;background:#f3f3f3;color:#222}';

const CONSOLE =
  '<p>To see what is stored, and to upload files here: the <a href="_gateway/console/">console</a>.</p>\n';

/** @param content - what there is to link to */
const renderPage = (content: string): Buffer =>
  Buffer.from(`<!doctype html>
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
${content}<p>To try it, run this on the machine of the gateway:</p>
<pre>ota-gateway upload README.md --name demo --version 1.0.0</pre>
<p>Its state: <a href="_gateway/health/ready">/_gateway/health/ready</a>. Its documentation: the file
<code>README.md</code> and the folder <code>docs/</code> of the package <code>ota-upload-gateway</code>.</p>
</body>
</html>
`);

const HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Accept, Authorization',
};

/**
 * Makes what responds with the page that a person sees who opens the address of the gateway in a browser. The page is the
 * same for everybody: it shows nothing of the request or the data.
 * @param hasConsole - whether it links to the console
 */
export function createFrontPage(
  hasConsole: boolean,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const page = renderPage(hasConsole ? CONSOLE : '');
  const headers = { ...HEADERS, 'Content-Length': String(page.length) };
  return ({ method }, response) => {
    response.writeHead(200, headers).end(method === 'HEAD' ? undefined : page);
    return Promise.resolve();
  };
}
