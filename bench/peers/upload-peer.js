'use strict';
// An Express server that people use today for uploads:
// node upload-peer.js multer|multer+digests|formidable FOLDER [keep]
const { createHash } = require('node:crypto');
const { createReadStream } = require('node:fs');
const { open, unlink } = require('node:fs/promises');
const express = require('express');
const { formidable } = require('formidable');
const multer = require('multer');

const [, , peer, folder, keep] = process.argv;
const discard = keep === 'keep' ? async () => undefined : unlink;
const app = express();

/** Flushes a file that multer has written, then computes its MD5 and SHA-256. */
async function flushAndDigest(path) {
  const file = await open(path, 'r+');
  await file.datasync();
  await file.close();
  const hashes = [createHash('md5'), createHash('sha256')];
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    for (const hash of hashes) hash.update(chunk);
  }
  return hashes.map((hash) => hash.digest('hex'));
}

if (peer === 'formidable') {
  app.post('/', async (request, response) => {
    const form = formidable({ uploadDir: folder, maxFileSize: 2 ** 40 });
    const [, files] = await form.parse(request);
    response.end('ok');
    await discard(files.file[0].filepath);
  });
} else {
  const upload = multer({ storage: multer.diskStorage({ destination: folder }) });
  app.post('/', upload.single('file'), async (request, response) => {
    if (peer === 'multer+digests') await flushAndDigest(request.file.path);
    response.end('ok');
    await discard(request.file.path);
  });
}

const server = app.listen(0, '127.0.0.1', () => {
  console.error(`listening on http://127.0.0.1:${server.address().port}`);
});
