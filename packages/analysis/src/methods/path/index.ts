export { type Bridges, findBridges } from './bridges.js';
export { coreOf, minimaxPath } from './minimax.js';
export { pathSentence } from './sentence.js';
export * from './types.js';
