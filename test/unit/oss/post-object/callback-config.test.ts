import { callbackBody, readCallback } from '../../../../src/oss/post-object/callback-config.ts';
import type { Callback } from '../../../../src/oss/post-object/callback-config.ts';
import { createCallbackRule } from '../../../../src/oss/post-object/callback-target.ts';

const LIMIT = 64 * 1024;
const SYSTEM_VARIABLES = new Map<string, string | number>([
  ['object', 'a/b'],
  ['size', 5],
]);

function callbackOf(change: Partial<Callback>): Callback {
  return {
    text: 'dGV4dA==',
    urls: [],
    host: undefined,
    contentType: 'application/x-www-form-urlencoded',
    template: '',
    variables: new Map(),
    ...change,
  };
}

function refusalOf(change: Partial<Callback>): unknown {
  try {
    callbackBody(callbackOf(change), SYSTEM_VARIABLES);
    return undefined;
  } catch (error) {
    return error;
  }
}

const TOO_LONG = {
  code: 'InvalidArgument',
  message: 'The length of callback body exceed max value.',
  elements: { ArgumentName: 'callback', ArgumentValue: 'dGV4dA==' },
};

describe('the body of a callback', () => {
  it('may have 64 KiB with its variables filled in', () => {
    const variables = new Map([['x:a', 'v'.repeat(1024)]]);
    const template = '${x:a}'.repeat(64);
    expect(callbackBody(callbackOf({ template, variables }), SYSTEM_VARIABLES)).toHaveLength(LIMIT);
    expect(refusalOf({ template: `${template}!`, variables })).toMatchObject(TOO_LONG);
    expect(refusalOf({ template: `!${template}`, variables })).toMatchObject(TOO_LONG);
  });

  it.each(['application/x-www-form-urlencoded', 'application/json'] as const)(
    'is measured in encoded bytes: %s',
    (contentType) => {
      // Three bytes in UTF-8, nine when percent-encoded.
      const variables = new Map([['x:a', '\u{4e2d}'.repeat(LIMIT / 3)]]);
      expect(refusalOf({ template: '${x:a}', contentType, variables })).toMatchObject(TOO_LONG);
      expect(refusalOf({ template: '\u{4e2d}'.repeat(LIMIT / 3 + 1), contentType })).toMatchObject(
        TOO_LONG,
      );
    },
  );

  it('is not built when it would be too long', () => {
    const encode = jest.spyOn(global, 'encodeURIComponent');
    try {
      const huge = new Map([['x:', '"'.repeat(2 * 1024 * 1024)]]);
      expect(refusalOf({ template: '${x:}'.repeat(700), variables: huge })).toMatchObject(TOO_LONG);
      expect(encode).not.toHaveBeenCalled();
      const large = new Map([['x:', 'v'.repeat(10_000)]]);
      expect(refusalOf({ template: '${x:}'.repeat(700), variables: large })).toMatchObject(
        TOO_LONG,
      );
      expect(encode.mock.calls.length).toBeLessThan(8);
    } finally {
      encode.mockRestore();
    }
  });

  it.each([
    ['${', '${'],
    ['${${object}', '${a%2Fb'],
    ['${'.repeat(1500), '${'.repeat(1500)],
    ['$${object}}', '$a%2Fb}'],
    ['${object', '${object'],
    ['${}${size}${none}', '5'],
  ])('has only variables with a closing brace: %s', (template, expected) => {
    expect(callbackBody(callbackOf({ template }), SYSTEM_VARIABLES)).toBe(expected);
  });
});

describe('the Host header of a callback', () => {
  const read = (callbackUrl: string, callbackHost: string): string | undefined => {
    const text = JSON.stringify({ callbackUrl, callbackHost, callbackBody: 'a' });
    const fields = new Map([['callback', Buffer.from(text).toString('base64')]]);
    const callbackHosts = ['any', 'localhost', '10.0.0.1', 'ingress.test', 'app.test'];
    const settings = { callbackHosts, unsignedCallbacks: true, fidelity: 'lenient' } as const;
    const rule = createCallbackRule(settings, new Set());
    return readCallback(fields, rule, {})?.host;
  };

  it.each([
    ['http://10.0.0.1/', 'any.name.test:8080'],
    ['http://localhost:81/', 'any.name.test'],
    ['http://elsewhere.test/', 'any.name.test'],
    ['http://app.test:81/', 'APP.test:9000'],
    ['http://ingress.test/', 'app.test'],
    ['http://10.0.0.1/', '[::1]:80'],
  ])('for %s may be %s', (url, host) => {
    expect(read(url, host)).toBe(host);
  });

  it.each([
    ['http://ingress.test/', 'admin.test'],
    ['http://10.0.0.1;ingress.test', 'admin.test'],
    ['http://10.0.0.1/', 'a b'],
    ['http://10.0.0.1/', 'a@b'],
    ['http://10.0.0.1/', 'a/b'],
    ['http://10.0.0.1/', 'a:b'],
    ['http://10.0.0.1/', 'a\r\nX: y'],
    ['http://10.0.0.1/', '\u{4e2d}.test'],
    ['http://10.0.0.1/', 'a'.repeat(256)],
  ])('for %s must not be %j', (url, host) => {
    expect(() => read(url, host)).toThrow('The callback url configuration is invalid.');
  });
});
