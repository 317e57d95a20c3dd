import { describeOperations } from '../../../src/iot/describe.ts';

type Described = ReturnType<typeof describeOperations>[number]['parameters'][number];

const operations = describeOperations();

/** From the pages of the operations. */
it.each([
  ['GenerateOTAUploadURL', 10, [], ['IotInstanceId', 'FileSuffix']],
  [
    'CreateOTAFirmware',
    10,
    ['FirmwareName', 'DestVersion'],
    [
      'FirmwareUrl',
      'FirmwareSign',
      'SignMethod',
      'FirmwareSize',
      'ProductKey',
      'FirmwareDesc',
      'Type',
      'SrcVersion',
      'ModuleName',
      'NeedToVerify',
      'Udi',
      'IotInstanceId',
      'MultiFiles',
    ],
  ],
  ['QueryOTAFirmware', 20, ['FirmwareId'], ['IotInstanceId']],
  [
    'ListOTAFirmware',
    10,
    ['CurrentPage', 'PageSize'],
    ['ProductKey', 'DestVersion', 'IotInstanceId'],
  ],
  ['DeleteOTAFirmware', 10, ['FirmwareId'], ['IotInstanceId']],
  [
    'ModifyOTAFirmware',
    5,
    ['FirmwareId', 'ProductKey'],
    ['FirmwareName', 'FirmwareDesc', 'FirmwareUdi', 'IotInstanceId'],
  ],
])('describes %s with its quota and its parameters', (name, perSecond, required, optional) => {
  const operation = operations.find((each) => each.name === name);
  const names = (wanted: boolean): string[] =>
    (operation?.parameters ?? [])
      .filter((each) => each.required === wanted)
      .map((each) => each.name)
      .sort();
  expect(operation?.perSecond).toBe(perSecond);
  expect(names(true)).toEqual([...required].sort());
  expect(names(false)).toEqual([...optional].sort());
});

it('lists exactly the six operations', () => {
  expect(operations).toHaveLength(6);
});

it('returns plain JSON, with defaults and the entries of arrays', () => {
  const [generate, create] = JSON.parse(JSON.stringify(operations));
  expect(generate.parameters[1]).toEqual({
    name: 'FileSuffix',
    type: 'String',
    required: false,
    about: expect.any(String),
    expected: 'one of bin, dav, apk, tar, gz, tar.gz, zip, gzip',
    code: 'iot.firmware.InvalidGenerateOTAUploadURLParam',
    default: 'bin',
  });
  const files = create.parameters.find((each: Described) => each.name === 'MultiFiles');
  expect(files.entries.map((each: Described) => [each.name, each.required])).toEqual([
    ['Name', true],
    ['Url', true],
    ['SignValue', false],
    ['Size', false],
    ['FileMd5', false],
  ]);
});
