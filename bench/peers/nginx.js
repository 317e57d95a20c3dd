'use strict';
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const { writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { join } = require('node:path');
const { closeLater } = require('../cleanup.js');

function hasNginx() {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Serves the files of a folder. */
function serving(root) {
  return `root ${root};`;
}

/** Writes request bodies to files without parsing them, and answers 200. */
function spooling(folder) {
  return `client_max_body_size 0; client_body_in_file_only clean; client_body_temp_path ${folder}/spool;
    location = /done { return 200; }
    location / {
      proxy_pass http://127.0.0.1:$server_port/done;
      proxy_pass_request_body off; proxy_set_header Content-Length ""; }`;
}

/** Runs nginx (Debian's nginx-light) on loopback until the end of the row. @returns undefined if nginx is not installed */
async function startNginx(folder, directives) {
  if (!hasNginx()) return undefined;
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr; user root;
     events {}
     http { access_log off; sendfile on; keepalive_requests 1000000;
       server { listen 127.0.0.1:${port}; ${directives} } }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', config], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  closeLater(() => {
    child.kill('SIGQUIT');
    return exited;
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { url: `http://127.0.0.1:${port}` };
}

module.exports = { serving, spooling, startNginx };
