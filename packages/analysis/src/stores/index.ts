export { filesOfDrop, filesStore } from './blobs.js';
export { openFile, withFile } from './file.js';
export { directoryStore, opfsStore } from './handle.js';
export { httpStore } from './http.js';
export { type MemoryStore, memoryStore } from './memory.js';
export { type Place, storeOf } from './of.js';
export { overlay, within } from './overlay.js';
export type { Appender, Content, Store, StoredFile, StoreEntry } from './types.js';
export { zipOf, zipStore } from './zip.js';
