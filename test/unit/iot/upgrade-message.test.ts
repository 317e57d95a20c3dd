import { upgradeMessage } from '../../../src/iot/upgrade-message.ts';
import type { FirmwarePackage, PackageFile } from '../../../src/uploads/firmware-package.ts';
import { PACKAGE_STATUS } from '../../../src/uploads/firmware-package.ts';

const MD5 = '93230c3bde425a9d7984a594ac55ea1e';
const SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const FILE: PackageFile = { key: 'ota/0123/a.bin', size: 432945, sign: MD5, md5: MD5 };

const FIRMWARE: FirmwarePackage = {
  id: 'nx3xxVvFdwvn6dim50PY03h0CHlJfe',
  accountId: 'default',
  name: 'lamp',
  destVersion: '2.0.0',
  differential: false,
  moduleName: 'default',
  signMethod: 'MD5',
  status: PACKAGE_STATUS.notNeeded,
  verifyProgress: 0,
  createdAt: 0,
  modifiedAt: 0,
  files: [FILE],
};

/** The members that a package of one file always has. */
const SINGLE = { size: 432945, version: '2.0.0', url: 'https://h/ota/0123/a.bin?s' };

/** The members that IoT Platform, "Perform OTA updates", gives `data`. */
const CASES: [string, Partial<FirmwarePackage>, object][] = [
  ['a full package by MD5', {}, { ...SINGLE, md5: MD5, sign: MD5, signMethod: 'MD5' }],
  [
    'SHA256, which leaves md5 out',
    { signMethod: 'SHA256', files: [{ ...FILE, sign: SHA256 }] },
    { ...SINGLE, sign: SHA256, signMethod: 'SHA256' },
  ],
  [
    'a differential package of a module, with a Udi',
    { differential: true, srcVersion: '1.0.0', moduleName: 'MCU', udi: '{"key1":"value1"}' },
    {
      ...{ ...SINGLE, isDiff: 1, md5: MD5, sign: MD5, signMethod: 'MD5', module: 'MCU' },
      extData: { _package_udi: '{"key1":"value1"}' },
    },
  ],
  [
    'an empty Udi',
    { udi: '' },
    { ...SINGLE, md5: MD5, sign: MD5, signMethod: 'MD5', extData: { _package_udi: '' } },
  ],
  [
    'several files',
    {
      signMethod: 'SHA256',
      moduleName: 'MCU',
      files: [
        { ...FILE, name: 'boot', sign: SHA256 },
        { ...FILE, name: 'app', key: 'ota/0123/b.bin', size: 0 },
      ],
    },
    {
      version: '2.0.0',
      signMethod: 'SHA256',
      files: [
        {
          fileSize: 432945,
          fileName: 'boot',
          fileUrl: 'https://h/ota/0123/a.bin?s',
          fileMd5: MD5,
          fileSign: SHA256,
        },
        {
          fileSize: 0,
          fileName: 'app',
          fileUrl: 'https://h/ota/0123/b.bin?s',
          fileMd5: MD5,
          fileSign: MD5,
        },
      ],
      module: 'MCU',
    },
  ],
  [
    'a list of one file',
    { files: [{ ...FILE, name: 'app' }] },
    {
      version: '2.0.0',
      signMethod: 'MD5',
      files: [
        {
          fileSize: 432945,
          fileName: 'app',
          fileUrl: 'https://h/ota/0123/a.bin?s',
          fileMd5: MD5,
          fileSign: MD5,
        },
      ],
    },
  ],
];

it.each(CASES)('makes the message of %s', (_, change, data) => {
  const message = upgradeMessage(
    { ...FIRMWARE, ...change },
    { at: 1_614_762_668_146, urlOf: (key) => `https://h/${key}?s` },
  );
  const id = 1_614_762_668_146;
  expect(JSON.parse(JSON.stringify(message))).toStrictEqual({
    ...{ code: '1000', message: 'success', id },
    data,
  });
});
