// Drives an HTTP client of Node through a list of jobs, see jobs.ts: client.js CLIENT JOBS.
const { createReadStream, createWriteStream, openAsBlob } = require('node:fs');
const { readFile } = require('node:fs/promises');
const { File } = require('node:buffer');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const NodeForm = require('form-data');

const rangeOf = ({ from }) => (from > 0 ? { Range: `bytes=${from}-` } : {});
const save = (bytes, { out }) => pipeline(bytes, createWriteStream(out, { flags: 'a' }));

/** Fills a FormData of the web. Its files always have a name, so that one without is a text. */
async function webForm(form, { fields, how, path, filename }) {
  for (const [name, value] of fields) form.append(name, value);
  if (how === 'noname') form.append('file', await readFile(path, 'utf8'));
  else form.append('file', new File([await openAsBlob(path)], filename));
  return form;
}

/** Fills a form of the package form-data. */
async function nodeForm({ fields, how, path, filename }) {
  const form = new NodeForm();
  for (const [name, value] of fields) form.append(name, value);
  if (how === 'noname') form.append('file', await readFile(path, 'utf8'));
  else if (how === 'stream') form.append('file', piped(path), { filename });
  else form.append('file', createReadStream(path), { filename });
  return form;
}

/** A file whose length nobody can know beforehand, like the output of another program. */
function piped(path) {
  return Readable.from(createReadStream(path), { objectMode: false });
}

function withAxios(formOf) {
  const axios = require('axios');
  return async (job) => {
    try {
      if (job.act === 'get') {
        const response = await axios.get(job.url, {
          headers: rangeOf(job),
          responseType: 'stream',
        });
        await save(response.data, job);
        return { status: response.status, body: '' };
      }
      const { status, data } = await axios.post(job.url, await formOf(job));
      return { status, body: data };
    } catch (error) {
      if (error.response === undefined) throw error;
      return { status: error.response.status, body: error.response.data };
    }
  };
}

async function withGot(formOf) {
  const { got, HTTPError } = await import('got');
  return async (job) => {
    try {
      if (job.act === 'get') {
        const stream = got.stream(job.url, { headers: rangeOf(job) });
        await save(stream, job);
        return { status: stream.response.statusCode, body: '' };
      }
      const { statusCode, body } = await got.post(job.url, { body: await formOf(job) });
      return { status: statusCode, body };
    } catch (error) {
      if (!(error instanceof HTTPError)) throw error;
      return { status: error.response.statusCode, body: error.response.body };
    }
  };
}

function withUndici() {
  const undici = require('undici');
  return async (job) => {
    const options =
      job.act === 'get'
        ? { headers: rangeOf(job) }
        : { method: 'POST', body: await webForm(new undici.FormData(), job) };
    const { statusCode, body } = await undici.request(job.url, options);
    if (job.act === 'post') return { status: statusCode, body: await body.text() };
    await save(body, job);
    return { status: statusCode, body: '' };
  };
}

function withSupertest() {
  const supertest = require('supertest');
  return async (job) => {
    const { origin, pathname, search } = new URL(job.url);
    if (job.act === 'get') {
      const request = supertest(origin)
        .get(pathname + search)
        .set(rangeOf(job))
        .responseType('blob');
      const { status, body } = await request;
      await save([body], job);
      return { status, body: '' };
    }
    let request = supertest(origin).post('/');
    for (const [name, value] of job.fields) request = request.field(name, value);
    if (job.how === 'noname') request = request.field('file', await readFile(job.path, 'utf8'));
    else {
      const file = job.how === 'stream' ? piped(job.path) : job.path;
      request = request.attach('file', file, { filename: job.filename });
    }
    // It parses no XML, but keeps it.
    const { status, text } = await request.buffer(true);
    return { status, body: text ?? '' };
  };
}

const CLIENTS = {
  axios: () => withAxios((job) => webForm(new globalThis.FormData(), job)),
  'axios-form-data': () => withAxios(nodeForm),
  got: () => withGot((job) => webForm(new globalThis.FormData(), job)),
  'got-form-data': () => withGot(nodeForm),
  undici: withUndici,
  supertest: withSupertest,
};

async function main(client, path) {
  const run = await CLIENTS[client]();
  const results = [];
  for (const job of JSON.parse(await readFile(path, 'utf8'))) {
    results.push(await run(job).catch((error) => ({ error: String(error) })));
  }
  console.log(JSON.stringify(results));
}

void main(process.argv[2], process.argv[3]);
