// What most programs need; one entry for Node and for pages. The rest stands by rooms: ./formats (files of other tools),
// ./methods (arrays in, arrays out), ./models (nets, training, capture), ./runs (a run's files, import), ./workflows
// (plan, compute, join), ./results (codec), ./api (a server's routes).

export { EpochscopeError, type ErrorCode, type ErrorFields } from '@epochscope/core-wasm';
export { createEngine, setDefaultThreads } from './engine/create.js';
export { createInlineEngine } from './engine/inline.js';
export type { EngineOptions } from './engine/options.js';
export {
  type CallContext,
  type CallOptions,
  type Calls,
  exposeCalls,
  type RemoteCalls,
  remoteCalls,
} from './engine/remote.js';
export type * from './engine/types.js';
export { setReadLimits } from './formats/budget.js';
export type * from './formats/types.js';
export type * from './methods/activity/types.js';
export type * from './methods/change/types.js';
export type * from './methods/difference/types.js';
export type * from './methods/features/types.js';
export type * from './methods/geometry/types.js';
export type * from './methods/locate/types.js';
export type * from './methods/modules/types.js';
export type * from './methods/path/types.js';
export type * from './methods/prune/types.js';
export type * from './methods/tendency/types.js';
export type * from './methods/watch/types.js';
export { listResults, readResult, writeResult } from './results/store.js';
export type { LoadSamples, SamplesReference } from './results/tree.js';
export type * from './results/types.js';
export type { SampleImages } from './run/images.js';
export { openRun } from './run/read.js';
export type * from './run/types.js';
export { createRun, type RunInit, resumeRun } from './run/write.js';
export * from './stores/index.js';
export {
  type FitCallbacks,
  type RecordOptions,
  recordFit,
  type TfModel,
  type TfModule,
} from './training/callback.js';
export { toolInfo } from './version.js';
export { type ActivityRunOptions, activityOfRun } from './workflows/activity/index.js';
export { type CaptureResult, type CaptureRunOptions, captureRun } from './workflows/capture/index.js';
export {
  type ChangeRunOptions,
  changeOfRun,
  type TracksRunOptions,
  tracksOfRun,
} from './workflows/change/index.js';
export {
  type DifferenceOfMatricesOptions,
  type DifferenceRunOptions,
  difference,
  differenceOfFiles,
  differenceOfRun,
  differenceOfRuns,
} from './workflows/difference/index.js';
export { type DifferenceMapRunOptions, differenceMapOfRun } from './workflows/difference/map.js';
export { type FeaturesRunOptions, featuresOfRun } from './workflows/features/index.js';
export { type GeometryRunOptions, geometryOfRun } from './workflows/geometry/index.js';
export { type ImportOptions, type ImportResult, importRun } from './workflows/import/index.js';
export { type LocateRunOptions, locateOfRun } from './workflows/locate/index.js';
export { type ModulesRunOptions, modulesOfRun } from './workflows/modules/index.js';
export {
  type PathEnd,
  type PathOfMatrixOptions,
  type PathRunOptions,
  path,
  pathOfFile,
  pathOfRun,
} from './workflows/path/index.js';
export { type PruneRunOptions, pruneOfRun } from './workflows/prune/index.js';
export type { RowsPlace } from './workflows/rows-file.js';
export type { WorkflowOptions, WorkflowProgress } from './workflows/run.js';
export {
  type TendencyOfMatrixOptions,
  type TendencyRunOptions,
  tendency,
  tendencyOfRun,
} from './workflows/tendency/index.js';
export { type TendencyOfFileOptions, tendencyOfFile } from './workflows/tendency/of-file.js';
export { type TrainResult, type TrainRunOptions, trainRun } from './workflows/train/index.js';
export { type WatchRunOptions, watchRun } from './workflows/watch/index.js';
