/** Texts of `upload-panel`. */
export const uploadPanel = { title: 'upload-panel' };
