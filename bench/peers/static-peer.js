'use strict';
// Serves a folder with express.static: node static-peer.js FOLDER
const express = require('express');

const app = express();
app.use(express.static(process.argv[2]));
const server = app.listen(0, '127.0.0.1', () => {
  console.error(`listening on http://127.0.0.1:${server.address().port}`);
});
