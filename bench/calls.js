'use strict';
const { drive } = require('./clients/keep-alive.js');
const { formFields } = require('./forms.js');

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

module.exports = { call, fieldsOf, succeed };
