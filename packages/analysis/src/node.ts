export { fileError, fileSource, withFile } from './formats/file-source.js';
export * from './index.js';
export { listResults, readResult, writeResult } from './results/store.js';
export { isTemporary, writeFileAtomic, writeFolderAtomic } from './run/atomic.js';
export { labelsOf, openRun, readManifest } from './run/read.js';
export { createRun, type RunInit, resumeRun, writeOutputs } from './run/write.js';
