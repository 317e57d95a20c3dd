const express = require('express');
const multer = require('multer');
const { gatewayStorage } = require('ota-upload-gateway/multer');

/**
 * An app with its own upload form. The gateway stores its files, and purges those that are not claimed within an hour.
 */
exports.createApp = (gateway) => {
  const upload = multer({
    storage: gatewayStorage(gateway),
    limits: { fileSize: 1_000_000, files: 1 },
  });
  const app = express();

  app.post('/firmware', upload.single('firmware'), (request, response) => {
    const { key, size, object } = request.file;
    response.status(201).json({ key, size, md5: object.md5 });
  });

  app.post('/releases', express.json(), async (request, response) => {
    const { key, name, version } = request.body;
    const outcome = await gateway.uploads.claim({ name, destVersion: version, files: [{ key }] });
    if (outcome.kind === 'claimed') response.status(201).json({ id: outcome.package.id });
    else response.status(409).json({ reason: outcome.kind });
  });

  // Serves downloads to devices, and the API to Alibaba Cloud clients.
  app.use(gateway.app);

  app.use((error, _request, response, _next) => {
    response.status(error.code === 'LIMIT_FILE_SIZE' ? 413 : 400).json({ reason: error.code });
  });
  return app;
};
