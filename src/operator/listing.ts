/* Plain values of lists. The help of a command loads them without a schema. */

/** The states of an upload, in the order of its life. */
export const UPLOAD_STATES = ['issued', 'stored', 'claimed', 'purging', 'purged'] as const;

export const UPLOAD_ORDERS = ['newest', 'largest', 'oldest'] as const;

/** The size of a page when none is asked for, and the largest. */
export const PAGE = 100;
export const MAX_PAGE = 1000;

/** The most samples of the usage in one answer. */
export const MAX_SAMPLES = 500;
