// Browser-safe parts. Node-only ones are in './node.js'.
export * from './engine/types.js';
export * from './formats/types.js';
export * from './methods/activity/index.js';
export * from './methods/change/index.js';
export * from './methods/prune/index.js';
export * from './methods/tendency/types.js';
export * from './results/types.js';
export * from './run/types.js';
