/** The causes of `AccessDenied`, see {@link OSS_ERRORS}. */
export const ACCESS_DENIALS = {
  // The texts of anonymous requests; that a form gets the first one is unverified.
  anonymousForm: { message: 'Anonymous user has no right to access this bucket.' },
  anonymousRead: {
    ec: '0003-00000001',
    message: 'You have no right to access this object because of bucket acl.',
  },
  anonymousWrite: { message: 'Anonymous access is forbidden for this operation.' },
  conditionFailed: {
    reason: 'condition_failed',
    ec: '0006-00000227',
    message: 'Invalid according to Policy: Policy Condition failed: {condition}',
  },
  conditionWithoutField: {
    reason: 'condition_failed',
    ec: '0006-00000226',
    message: 'Invalid according to Policy: Policy Condition failed: {condition}',
  },
  dateMissing: {
    reason: 'clock_skew',
    ec: '0002-00000503',
    message: 'OSS authentication requires a valid Date.',
  },
  expired: { reason: 'url_expired', ec: '0002-00000069', message: 'Request has expired.' },
  expiresMalformed: {
    reason: 'parameter',
    ec: '0002-00000070',
    message: 'Invalid date (should be seconds since epoch).',
  },
  fieldsNotInPolicy: {
    reason: 'uncovered_field',
    ec: '0006-00000228',
    message: 'Invalid according to Policy: Extra input fields: {fields}',
  },
  // Ours, in OSS's words.
  callbackNotInPolicy: {
    reason: 'uncovered_field',
    ec: '0006-00000228',
    message: 'Invalid according to Policy: Extra input fields: callback',
  },
  // Ours: OSS has no such limits.
  limit: {
    reason: 'limit',
    message: 'The upload is refused by a limit of this gateway. {explanation}',
  },
  // The page of this EC gives the rule, but neither code nor message: unverified.
  notYetValid: {
    reason: 'clock_skew',
    ec: '0002-00000235',
    message: 'Request is not valid yet.',
  },
  policyExpired: {
    reason: 'policy_expired',
    ec: '0006-00000213',
    message: 'Invalid according to Policy: Policy expired.',
  },
  // Ours.
  publicAcl: {
    reason: 'parameter',
    message:
      'The object ACL {acl} is not allowed: the bucket cannot be read publicly (OTA_GATEWAY_PUBLIC_READ).',
  },
  urlParameters: {
    reason: 'parameter',
    message:
      'Query string authentication requires the Signature, Expires and OSSAccessKeyId parameters.',
  },
} as const;
