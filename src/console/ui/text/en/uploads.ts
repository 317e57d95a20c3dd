/** Texts of `uploads`. */
export const uploads = { title: 'uploads' };
