/** The frame of the page. */
export const shell = {
  product: 'OTA Upload Gateway',
  skip: 'Skip to the content',
  navigation: 'Screens',
  screens: {
    uploads: 'Uploads',
    packages: 'Packages',
    refusals: 'Refusals',
    storage: 'Storage',
    about: 'About',
  },
  live: {
    connecting: 'connecting',
    live: 'live',
    paused: 'paused while hidden',
    lost: 'not live: connecting again',
    moved: 'not live: open in too many tabs',
  },
  signOut: 'Sign out',
  account: (id: string) => `Account ${id}`,
  operator: 'operator',
  language: 'Language',
  languages: { en: 'English', zh: '中文' },
  theme: 'Colors',
  themes: { auto: 'as the system', light: 'light', dark: 'dark' },
  testMode: 'Test mode: the clock can be moved, and faults can be injected.',
  loading: 'Reading …',
  retry: 'Try again',
  more: 'Show more',
  close: 'Close',
  cancel: 'Cancel',
  copy: 'Copy',
  copied: 'Copied',
  none: '–',
  yes: 'yes',
  no: 'no',
  notFound: 'This place does not exist.',
  forbidden: 'This screen is for operators.',
  unreachable: 'The gateway does not answer. Is it running?',
  states: {
    issued: 'issued',
    stored: 'stored',
    claimed: 'claimed',
    purging: 'being purged',
    purged: 'purged',
  },
  purgeReasons: {
    unclaimed: 'not claimed in time',
    replaced: 'replaced',
    deleted: 'deleted',
    retired: 'its package was too old',
  },
};

/** The texts of one part of the page in any language: plain texts, and functions that make one. */
export type Texts<T> = {
  readonly [K in keyof T]: T[K] extends (...given: infer A) => string
    ? (...given: A) => string
    : T[K] extends string
      ? string
      : Texts<T[K]>;
};
