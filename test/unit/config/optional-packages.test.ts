import { loadOptional } from '../../../src/config/optional-packages.ts';
import { SettingsError } from '../../../src/config/settings-error.ts';

const OPTIONAL = { name: '@aws-sdk/client-s3', version: 3, setting: 'storeUrl' } as const;

describe('a module that imports an optional package', () => {
  it.each(['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'])(
    'is refused with the setting and what to install when the package is missing: %s',
    async (code) => {
      const missing = Object.assign(new Error('Cannot find module'), { code });
      await expect(loadOptional(OPTIONAL, () => Promise.reject(missing))).rejects.toEqual(
        new SettingsError([
          {
            settings: ['storeUrl'],
            text: 'needs the package @aws-sdk/client-s3, which is missing; install it beside the gateway: npm install @aws-sdk/client-s3@3',
          },
        ]),
      );
    },
  );

  it('throws its own error when it fails for another reason', async () => {
    const load = loadOptional(OPTIONAL, () => Promise.reject(new Error('broken')));
    await expect(load).rejects.toThrow('broken');
  });

  it('is returned when it can be loaded', async () => {
    const module = { name: 'a module' };
    await expect(loadOptional(OPTIONAL, () => Promise.resolve(module))).resolves.toBe(module);
  });
});
