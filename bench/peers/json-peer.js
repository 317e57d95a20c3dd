'use strict';
// A bare Express route that returns the JSON of GenerateOTAUploadURL without any of its work.
const express = require('express');

const answer = JSON.parse(process.argv[2]);
const app = express();
app.all('/', (request, response) => response.json(answer));
const server = app.listen(0, '127.0.0.1', () => {
  console.error(`listening on http://127.0.0.1:${server.address().port}`);
});
