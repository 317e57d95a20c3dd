/** Texts of `about`. */
export const about = { title: 'about' };
