/**
 * The causes of `InvalidArgument`, see {@link OSS_ERRORS}. Most responses have the name and the value of the argument
 * in `ArgumentName` and `ArgumentValue`.
 */
export const INVALID_ARGUMENTS = {
  accessKeyIdEmpty: {
    reason: 'form_malformed',
    ec: '0002-00000707',
    message: 'Post request accessKeyId is empty.',
  },
  accessKeyIdMissing: {
    reason: 'form_malformed',
    ec: '0002-00000706',
    message: 'Post request accessKeyId is empty.',
  },
  // The code of an unknown value is unverified.
  acl: { message: 'no such object access control exists' },
  // Documented for signature version 2, on the page of this EC.
  additionalHeaders: { ec: '0002-00000076', message: 'It must not be empty.' },
  authorization: { message: 'The Authorization header is invalid.' },
  callbackAddress: { message: 'Private address is forbidden to callback.' },
  // Ours.
  callbackBody: { message: 'The length of callback body exceed max value.' },
  callbackBodyMissing: { message: 'The callback body is empty.' },
  callbackBodyType: { message: 'The body type of callback is not supported.' },
  callbackHost: { message: 'The callback url configuration is invalid.' },
  callbackNotBase64: { message: 'The callback configuration is not base64 encoded.' },
  callbackNotJson: { message: 'The callback configuration is not json format.' },
  callbackTooLong: { message: 'The length of callback exceed max value.' },
  callbackUrl: { message: 'The callback url configuration is invalid.' },
  callbackUrls: { message: 'The number of callback url exceed max value.' },
  credential: {
    message: 'It must be <AccessKeyId>/<YYYYMMDD>/<region>/oss/aliyun_v4_request.',
  },
  // Unverified.
  credentialDate: { message: 'Invalid signing date in Authorization header.' },
  // As recorded from OSS (alibabacloud-oss-go-sdk-v2#29, #85, alibabacloud-oss-python-sdk-v2#74).
  credentialProduct: {
    ec: '0002-00000227',
    message: 'Invalid signing product in Authorization header.',
  },
  // As recorded from OSS.
  credentialRegion: {
    ec: '0002-00000226',
    message: 'Invalid signing region in Authorization header.',
  },
  // Unverified.
  date: { message: 'It must be YYYYMMDDTHHMMSSZ.' },
  // Unverified.
  encryptionKey: { message: '{field} needs x-oss-server-side-encryption to be KMS.' },
  // Unverified.
  expires: { message: 'It must be a number of seconds from 1 to {maximum}.' },
  // Ours.
  fieldNotUtf8: {
    reason: 'form_malformed',
    message: 'The form field {field} is not encoded in UTF-8.',
  },
  // Unverified.
  fieldTwice: {
    reason: 'form_malformed',
    message: 'The form field {field} is specified more than once.',
  },
  filePartHeader: {
    reason: 'form_malformed',
    message: 'The bucket POST contains unrecognized field name.',
  },
  formCredential: {
    ec: '0002-00000710',
    message: 'The credential must be <AccessKeyId>/<YYYYMMDD>/<region>/oss/aliyun_v4_request.',
  },
  // The texts of the next three, and the code of the region, are unverified.
  formCredentialDate: {
    ec: '0002-00000709',
    message: 'The date of the credential must be the day of x-oss-date, {date}.',
  },
  formCredentialRegion: { message: 'The region of the credential must be {region}.' },
  formDate: { ec: '0002-00000709', message: 'The date must be YYYYMMDDTHHMMSSZ.' },
  formDateMissing: {
    reason: 'form_malformed',
    ec: '0002-00000709',
    message: 'Post request x-oss-date is empty.',
  },
  // Text unverified.
  formVersion: {
    ec: '0002-00000701',
    message: 'The signature version must be OSS4-HMAC-SHA256.',
  },
  formVersionMissing: {
    reason: 'form_malformed',
    ec: '0002-00000701',
    message: 'Post request x-oss-signature-version is empty.',
  },
  // Ours.
  headerCharacters: {
    message: 'The form field {field} holds characters that no header can carry.',
  },
  // The code of too much metadata is unverified; OSS documents no limit for the other headers.
  headersTooLarge: {
    message: 'The total size of the headers stored with an object exceeds {maximum} bytes.',
  },
  keyMissing: {
    reason: 'form_malformed',
    message:
      "The bucket POST must contain the specified 'key'. If it is specified, please check the order of the fields",
  },
  // Text unverified.
  policyMissing: {
    reason: 'form_malformed',
    ec: '0002-00000702',
    message: 'Post request policy is empty.',
  },
  // Ours.
  queryTooLong: { message: 'The query may have at most {maximum} parameters.' },
  // OSS's response to another URL is unverified.
  redirect: { message: 'success_action_redirect must be an http or https URL.' },
  // Ours.
  redirectTooLong: {
    message: 'success_action_redirect may have at most {maximum} characters.',
  },
  // Ours.
  responseHeaders: {
    message: 'The response headers that are asked for exceed {maximum} bytes with {header}.',
  },
  signatureEmpty: {
    reason: 'form_malformed',
    ec: '0002-00000704',
    message: 'Post request signature is empty.',
  },
  signatureMissing: {
    reason: 'form_malformed',
    ec: '0002-00000703',
    message: 'Post request signature is empty.',
  },
  // The code is documented ("Add signatures to a URL"), the message is unverified.
  signedTwice: {
    message:
      'The request is signed more than once: by its header and its URL, or twice by its URL.',
  },
  // The code of an unknown value is unverified.
  storageClass: { message: 'The storage class must be one of {allowed}.' },
  // Unverified.
  version: { message: 'It must be OSS4-HMAC-SHA256.' },
} as const;
