/** Texts of `packages`. */
export const packages = { title: 'packages' };
