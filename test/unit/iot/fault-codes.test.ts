import { MISSING_CODES } from '../../../src/iot/fault-codes.ts';
import { OPERATIONS } from '../../../src/iot/operations/registry.ts';

it('has the code of each required parameter, of each operation', () => {
  const missing = OPERATIONS.map(({ name, parameters }) => [
    name,
    parameters.flatMap((each) => (each.required ? [`Missing${each.name}`] : [])),
  ]);
  expect(MISSING_CODES).toEqual(Object.fromEntries(missing));
});
