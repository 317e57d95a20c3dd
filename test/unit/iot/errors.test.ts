import {
  BUSINESS_ERRORS,
  GATEWAY_ERRORS,
  businessError,
  gatewayError,
} from '../../../src/iot/errors.ts';

/** Typed from the platform's pages and from responses quoted in issues, not from the table under test. */
const PUBLISHED: [name: string, status: number, message: string][] = [
  ['Missing{name}', 400, '{name} is mandatory for this action.'],
  ['MissingHeader', 400, 'Specified header {name} is mandatory for this action.'],
  ['InvalidParameter', 400, 'The specified value of parameter "{name}" is not valid.'],
  ['Invalid{name}', 400, 'Specified parameter {name} is not valid.'],
  ['InvalidParameter.Format', 400, 'Specified parameter format is not valid.'],
  ['InvalidAction.NotFound', 404, 'Specified api is not found, please check your url and method.'],
  ['UnsupportedHTTPMethod', 400, 'This http method is not supported.'],
  ['InvalidSignatureMethod', 400, 'Specified signature method is not valid.'],
  ['InvalidAccessKeyId.NotFound', 404, 'Specified access key is not found.'],
  ['InvalidAccessKeyId.Inactive', 400, 'Specified access key is disabled.'],
  ['InvalidTimeStamp.Format', 400, 'Specified time stamp or date value is not well formatted.'],
  ['InvalidTimeStamp.Expired', 400, 'Specified time stamp or date value is expired.'],
  ['SignatureNonceUsed', 400, 'Specified signature nonce was used already.'],
  ['SignatureDoesNotMatch', 400, 'Specified signature is not matched with our calculation.'],
  ['ServiceUnavailable', 503, 'The request has failed due to a temporary failure of the server.'],
  ['IncompleteSignature', 400, 'The request signature does not conform to Aliyun standards.'],
  ['Throttling.User', 400, 'Request was denied due to user flow control.'],
  [
    'InternalError',
    500,
    'The request processing has failed due to some unknown error, exception or failure.',
  ],
];

/** Errors of ours, or with unverified status and text. */
const OTHERS = [
  'InvalidSecurityToken.Expired',
  'InvalidSecurityToken.MismatchWithAccessKey',
  'RequestBodyTooLarge',
  'IncompleteBody',
  'RequestTimeout',
];

const rows = new Map<string, { status: number; message: string }>(Object.entries(GATEWAY_ERRORS));

it.each(PUBLISHED)(
  'gives %s the status %i and the published beginning',
  (name, status, message) => {
    expect(rows.get(name)?.status).toBe(status);
    expect(rows.get(name)?.message.startsWith(message)).toBe(true);
  },
);

it('lists exactly the published and the other errors', () => {
  const expected = [...PUBLISHED.map(([name]) => name), ...OTHERS];
  expect(Object.keys(GATEWAY_ERRORS).sort()).toEqual(expected.sort());
});

it('ends the message with the string to sign', () => {
  const error = gatewayError('SignatureDoesNotMatch', { hint: '', stringToSign: 'GET&{hint}' });
  expect(error.message).toBe(
    'Specified signature is not matched with our calculation. server string to sign is:GET&{hint}',
  );
});

it('fills in the name in a code', () => {
  const error = gatewayError('Missing{name}', { name: 'FirmwareName' });
  expect([error.code, error.status, error.message]).toEqual([
    'MissingFirmwareName',
    400,
    'FirmwareName is mandatory for this action.',
  ]);
});

it('does not fill in placeholders inside details', () => {
  const error = businessError('iot.firmware.InvalidFirmwareSize', {
    parameter: '{reason}',
    reason: '{parameter} $& $1',
  });
  expect(error.message).toBe('{reason} is wrong: it {parameter} $& $1');
});

it('has only business codes of the families of the platform, and one of its own for limits', () => {
  const own = 'Throttling.Limit';
  for (const code of Object.keys(BUSINESS_ERRORS).filter((each) => each !== own)) {
    expect(code).toMatch(/^iot\.(system|common|check|prod|firmware|ota)\.[A-Z]\w+$/);
  }
});
