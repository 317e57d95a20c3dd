/** The access keys of test gateways, the same in every run: signatures are then the same, too. */
export const TEST_KEYS = {
  account: { id: 'testid', secret: 'testsecret' },
  bucket: { id: 'bucketid', secret: 'bucketsecret' },
} as const;
