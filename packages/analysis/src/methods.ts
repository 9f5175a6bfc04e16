// The mathematics of each paper: arrays and an `Engine` in, arrays out.

export * from './methods/activity/index.js';
export * from './methods/change/index.js';
export * from './methods/difference/index.js';
export { differenceMap } from './methods/difference/map.js';
export * from './methods/features/index.js';
export * from './methods/geometry/index.js';
export * from './methods/locate/index.js';
export * from './methods/modules/index.js';
export * from './methods/path/index.js';
export * from './methods/prune/index.js';
export * from './methods/series-check/index.js';
export * from './methods/tendency/index.js';
export * from './methods/watch/index.js';
export { type Random, random } from './random.js';
