'use strict';
const { once } = require('node:events');
const { get } = require('node:http');

/**
 * Downloads a body; without a consumer it discards the bytes.
 * @returns the number of bytes
 */
async function download(url, take = () => undefined) {
  const [response] = await once(get(url), 'response');
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  let size = 0;
  for await (const chunk of response) {
    take(chunk);
    size += chunk.length;
  }
  return size;
}

module.exports = { download };
