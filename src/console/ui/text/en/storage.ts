/** Texts of `storage`. */
export const storage = { title: 'storage' };
