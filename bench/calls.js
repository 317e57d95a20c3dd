'use strict';
const { drive } = require('./clients/keep-alive.js');
const { apiRequest, formFields, formRequest } = require('./forms.js');

/** Sends requests that must all succeed. */
async function succeed(url, requests, connections) {
  const result = await drive(url, requests, connections);
  if (result.statuses['200'] !== requests.length) throw new Error(JSON.stringify(result.statuses));
  return result;
}

/** Sends calls of the API that must all succeed. @returns what `drive` returns, and the data of the answers */
async function call(url, requests, connections) {
  const { bodies, ...figures } = await succeed(url, requests, connections);
  const answers = bodies.map((body) => JSON.parse(body));
  const refusal = answers.find(({ Success }) => !Success);
  if (refusal !== undefined) throw new Error(JSON.stringify(refusal));
  return { ...figures, data: answers.map(({ Data }) => Data) };
}

/** The fields of a form, by the data of GenerateOTAUploadURL. */
function fieldsOf({ Key, Policy, OSSAccessKeyId, Signature }) {
  return formFields({
    key: Key,
    policy: Policy,
    accessKeyId: OSSAccessKeyId,
    signature: Signature,
  });
}

/** Forms with the same file as complete requests, each with a new grant. A peer, which ignores fields, gets none. */
async function formRequests({ signed, url }, count, bytes) {
  if (!signed) return Array.from({ length: count }, () => formRequest(url, [], bytes));
  const calls = Array.from({ length: count }, () => apiRequest(url, 'GenerateOTAUploadURL'));
  const { data } = await call(url, calls, 16);
  return data.map((grant) => formRequest(url, fieldsOf(grant), bytes));
}

module.exports = { call, fieldsOf, formRequests, succeed };
