import type { Page } from 'playwright-core';
import type { World } from './console-world.ts';

/** Something that the console shows. */
export interface ConsoleScreen {
  readonly name: string;
  /**
   * `empty`: of a gateway without anything; `guest`: for an account without anything; `nobody`: before the sign-in;
   * absent: `full`.
   */
  readonly of?: 'full' | 'empty' | 'guest' | 'nobody';
  /** The place, such as `#/packages`. */
  readonly hash: (world: World) => string;
  /** The gateway cannot be reached for these requests. */
  readonly broken?: string;
  /** Brings the screen into its state. */
  readonly prepare: (page: Page) => Promise<void>;
}

const heading = (name: string) => (page: Page) =>
  page.getByRole('heading', { name, exact: true }).waitFor();
const text = (shown: string) => (page: Page) => page.getByText(shown).first().waitFor();
const press = (name: string) => (page: Page) =>
  page.getByRole('button', { name, exact: true }).click();
const dialog = (page: Page) => page.getByRole('dialog').waitFor();
const unreachable = text('The gateway does not answer.');

function inTurn(...steps: readonly ((page: Page) => Promise<void>)[]) {
  return async (page: Page): Promise<void> => {
    for (const step of steps) await step(page);
  };
}

const uploadOf = (state: keyof World['keys']) => (world: World) =>
  `#/uploads/${encodeURIComponent(world.keys[state])}`;
const packageOf = ({ firmwareId }: World): string => `#/packages/${firmwareId}`;
const refusalOf = ({ refusalId }: World): string => `#/refusals/${refusalId}`;
const selectAll = (page: Page) => page.getByLabel('Select all shown').check();
const choose = (name: string, size: number) => (page: Page) =>
  page.locator('input[type=file]').setInputFiles({
    ...{ name, mimeType: 'application/octet-stream' },
    buffer: Buffer.alloc(size),
  });

/** What a person sees before the sign-in. */
export const SIGN_IN_SCREENS: readonly ConsoleScreen[] = [
  { name: 'the sign-in', of: 'nobody', hash: () => '', prepare: heading('Sign in') },
  {
    ...{ name: 'a sign-in that is refused', of: 'nobody', hash: () => '' },
    prepare: async (page) => {
      await page.getByLabel('Access key').fill('testid');
      await page.getByLabel('Secret').fill('wrong');
      await press('Sign in')(page);
      await page.getByRole('alert').waitFor();
    },
  },
];

/** Everything that a person who is signed in can see. */
export const SCREENS: readonly ConsoleScreen[] = [
  { name: 'uploads', hash: () => '#/uploads', prepare: text('not claimed in time') },
  {
    ...{ name: 'uploads with a selection', hash: () => '#/uploads?state=stored' },
    prepare: inTurn(text('soon'), selectAll, text('2 selected')),
  },
  {
    ...{ name: 'uploads without a match', hash: () => '#/uploads?q=nothing' },
    prepare: text('No upload matches the filter.'),
  },
  {
    ...{ name: 'uploads without any', of: 'empty', hash: () => '#/uploads' },
    prepare: text('There are no uploads yet.'),
  },
  {
    ...{ name: 'uploads that cannot be read', hash: () => '#/uploads', broken: 'uploads' },
    prepare: unreachable,
  },
  {
    ...{ name: 'a file that is refused', of: 'empty', hash: () => '#/uploads' },
    prepare: inTurn(choose('empty.bin', 0), text('the file is empty')),
  },
  {
    ...{ name: 'a claim without a name', of: 'empty', hash: () => '#/uploads' },
    prepare: inTurn(
      (page) => page.getByLabel('Claim at once').check(),
      choose('a.bin', 1),
      text('give a name and a version'),
    ),
  },
  {
    ...{ name: 'the dialog that claims several', hash: () => '#/uploads?state=stored' },
    prepare: inTurn(text('soon'), selectAll, press('Claim as one'), dialog),
  },
  {
    ...{ name: 'the dialog that claims each', hash: () => '#/uploads?state=stored' },
    prepare: inTurn(text('soon'), selectAll, press('Claim each'), dialog, (page) =>
      page.getByRole('dialog').getByLabel('Name').fill('lamp'),
    ),
  },
  {
    ...{ name: 'the dialog that deletes', hash: () => '#/uploads?state=stored' },
    prepare: inTurn(text('soon'), selectAll, press('Delete'), dialog),
  },
  { name: 'an issued upload', hash: uploadOf('issued'), prepare: heading('Time line') },
  { name: 'a stored upload', hash: uploadOf('stored'), prepare: heading('Time line') },
  {
    ...{ name: 'a claimed upload with its link', hash: uploadOf('claimed') },
    prepare: inTurn(heading('Time line'), press('Make a download link'), text('Valid until')),
  },
  { name: 'a purged upload', hash: uploadOf('purged'), prepare: heading('Time line') },
  {
    ...{ name: 'an upload that does not exist', hash: () => '#/uploads/nothing' },
    prepare: (page) => page.getByRole('alert').first().waitFor(),
  },
  { name: 'packages', hash: () => '#/packages', prepare: text('valve') },
  {
    ...{ name: 'packages without a match', hash: () => '#/packages?q=nothing' },
    prepare: text('No package has this'),
  },
  {
    ...{ name: 'packages without any', of: 'empty', hash: () => '#/packages' },
    prepare: text('There are no packages yet.'),
  },
  {
    ...{ name: 'packages that cannot be read', hash: () => '#/packages', broken: 'packages' },
    prepare: unreachable,
  },
  {
    ...{ name: 'a package with its links and its message', hash: packageOf },
    prepare: inTurn(
      heading('lamp'),
      press('Make links'),
      press('Show the message'),
      text('curl'),
      text('"code"'),
    ),
  },
  {
    ...{ name: 'the dialog that deletes a package', hash: packageOf },
    prepare: inTurn(heading('lamp'), press('Delete'), dialog),
  },
  {
    ...{ name: 'a package that does not exist', hash: () => '#/packages/nothing' },
    prepare: text('There is no such package.'),
  },
  {
    ...{ name: 'refusals by their reason', hash: () => '#/refusals' },
    prepare: text('SignatureDoesNotMatch'),
  },
  {
    ...{ name: 'refusals one by one', hash: () => '#/refusals?view=each' },
    prepare: text('SignatureDoesNotMatch'),
  },
  {
    ...{ name: 'refusals without any', of: 'empty', hash: () => '#/refusals' },
    prepare: text('No request has been refused in this time.'),
  },
  {
    ...{ name: 'refusals that cannot be read', hash: () => '#/refusals', broken: 'refusal*' },
    prepare: unreachable,
  },
  { name: 'a refusal', hash: refusalOf, prepare: heading('What happened') },
  {
    ...{ name: 'a refusal that does not exist', hash: () => '#/refusals/nothing' },
    prepare: text('No refused request has this id.'),
  },
  {
    ...{ name: 'storage', hash: () => '#/storage' },
    prepare: inTurn(text('Largest'), (page) => page.getByText('As a table').click()),
  },
  {
    ...{ name: 'storage without anything', of: 'empty', hash: () => '#/storage' },
    prepare: text('Nothing is stored.'),
  },
  {
    ...{ name: 'storage that cannot be read', hash: () => '#/storage', broken: '{usage,uploads}' },
    prepare: unreachable,
  },
  {
    ...{ name: 'the dialog that purges', hash: () => '#/storage' },
    prepare: inTurn(press('Purge now'), text('Nothing is due.')),
  },
  {
    ...{ name: 'storage for a guest', of: 'guest', hash: () => '#/storage' },
    prepare: text('This screen is for operators.'),
  },
  { name: 'about', hash: () => '#/about', prepare: text('Test mode') },
  {
    ...{ name: 'about that cannot be read', hash: () => '#/about', broken: 'about' },
    prepare: unreachable,
  },
  {
    ...{ name: 'the menu of the account', hash: () => '#/packages' },
    prepare: inTurn(text('valve'), async (page) => {
      await page.getByLabel('Account factory').click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    }),
  },
  {
    ...{ name: 'a place that does not exist', hash: () => '#/nothing' },
    prepare: text('This place does not exist.'),
  },
];
