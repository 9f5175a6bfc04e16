// Types of every method's result, for views; decoding needs no disk.

export type * from '../methods/activity/types.js';
export type * from '../methods/change/types.js';
export { differenceSentence, longestBars, witnessSentence } from '../methods/difference/sentence.js';
export type * from '../methods/difference/types.js';
export { type FeatureDate, featureDates, featuresSentence } from '../methods/features/sentence.js';
export type * from '../methods/features/types.js';
export type * from '../methods/geometry/types.js';
export type * from '../methods/locate/types.js';
export type * from '../methods/modules/types.js';
export { pathSentence } from '../methods/path/sentence.js';
export type * from '../methods/path/types.js';
export type * from '../methods/prune/types.js';
export type * from '../methods/series-check/index.js';
export { SERIES_EXCESS } from '../methods/series-check/index.js';
export { alignedView } from '../methods/tendency/align.js';
export { blocksCaption, blocksSentence, isUnstable } from '../methods/tendency/sentence.js';
export type * from '../methods/tendency/types.js';
export type * from '../methods/watch/types.js';
export type { SampleImages } from '../run/images.js';
export {
  type DecodeOptions,
  decodeAny,
  decodeResult,
  type EncodeOptions,
  encodeBinary,
  encodeInline,
  inlineBytes,
  isBinary,
  outlineOf,
  parseResult,
} from './codec.js';
export { imagesFrom } from './samples.js';
export type { LoadSamples, SamplesReference } from './tree.js';
export * from './types.js';
