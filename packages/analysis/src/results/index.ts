export { decodeInline, encodeInline, parseResult } from './codec.js';
export * from './types.js';
