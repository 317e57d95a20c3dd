/** Texts of `refusals`. */
export const refusals = { title: 'refusals' };
