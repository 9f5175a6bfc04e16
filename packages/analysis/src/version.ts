/** Stands in every file we write. */
export const toolInfo = { name: 'epochscope', version: '0.1.0' } as const;
