export { filesOfDrop, filesStore } from './blobs.js';
export { directoryStore, opfsStore } from './handle.js';
export { httpStore } from './http.js';
export { memoryStore, type MemoryStore } from './memory.js';
export { type Place, storeOf } from './of.js';
export { overlay, within } from './overlay.js';
export type { Appender, Content, Store, StoredFile, StoreEntry } from './types.js';
export { zipStore } from './zip.js';
