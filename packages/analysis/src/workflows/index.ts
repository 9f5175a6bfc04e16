export {
  ACTIVITY_DEFAULTS,
  type ActivityRunOptions,
  activityOfRun,
  activityWorkflow,
} from './activity/index.js';
export { type ArrayPlace, readArray, readNumbers } from './array-file.js';
export {
  CAPTURE_DEFAULTS,
  type CaptureResult,
  type CaptureRunOptions,
  captureRun,
  captureWorkflow,
} from './capture/index.js';
export {
  CHANGE_DEFAULTS,
  type ChangeRunOptions,
  changeOfRun,
  changeWorkflow,
  TRACKS_DEFAULTS,
  type TracksRunOptions,
  tracksOfRun,
  tracksWorkflow,
} from './change/index.js';
export { paceClock } from './clock.js';
export {
  DIFFERENCE_DEFAULTS,
  type DifferenceOfFilesOptions,
  type DifferenceOfMatricesOptions,
  type DifferenceRunOptions,
  difference,
  differenceOfFiles,
  differenceOfRun,
  differenceOfRuns,
  differenceWorkflow,
} from './difference/index.js';
export {
  DIFFERENCE_MAP_DEFAULTS,
  type DifferenceMapRunOptions,
  differenceMapOfRun,
  differenceMapWorkflow,
} from './difference/map.js';
export {
  FEATURES_DEFAULTS,
  type FeaturesRunOptions,
  featuresOfRun,
  featuresWorkflow,
} from './features/index.js';
export { type AlexnetSource, geometryOfAlexnet } from './geometry/alexnet.js';
export {
  GEOMETRY_DEFAULTS,
  type GeometryRunOptions,
  geometryOfRun,
  geometryWorkflow,
} from './geometry/index.js';
export { describeImport, type ImportDescription } from './import/describe.js';
export {
  IMPORT_DEFAULTS,
  type ImportHow,
  type ImportOptions,
  type ImportPlaces,
  type ImportResult,
  type ImportRunOptions,
  importRun,
  importWorkflow,
} from './import/index.js';
export { LOCATE_DEFAULTS, type LocateRunOptions, locateOfRun, locateWorkflow } from './locate/index.js';
export { type MatrixInput, type MatrixRunOptions, matrixRun } from './matrix-run.js';
export { checkMemory, defaultMemory, setDefaultMemory } from './memory.js';
export {
  MODULES_DEFAULTS,
  type ModulesRunOptions,
  modulesOfRun,
  modulesWorkflow,
} from './modules/index.js';
export type { PartsPlace } from './parts.js';
export {
  PATH_DEFAULTS,
  type PathEnd,
  type PathOfFileOptions,
  type PathOfMatrixOptions,
  type PathRunOptions,
  path,
  pathOfFile,
  pathOfRun,
  pathWorkflow,
} from './path/index.js';
export {
  COMPARISON_FORMAT,
  type ComparedRanking,
  compareRankings,
  type PruneComparison,
} from './prune/compare.js';
export {
  PRUNE_DEFAULTS,
  type PruneRunOptions,
  pruneOfRun,
  pruneWorkflow,
  type Retraining,
} from './prune/index.js';
export { type PrunedRunOptions, prunedRun, prunedSnapshot } from './prune/pruned-run.js';
export { type LabelsPlace, type RowsFile, type RowsOptions, type RowsPlace, withRows } from './rows-file.js';
export {
  type Elsewhere,
  planWorkflow,
  runPlan,
  runWorkflow,
  type WorkflowOptions,
  type WorkflowProgress,
} from './run.js';
export { chooseSnapshots, chosenSamples } from './select.js';
export { checkOfRun } from './series-check.js';
export { checkTreeOfFile } from './tendency/check.js';
export {
  TENDENCY_DEFAULTS,
  type TendencyOfMatrixOptions,
  type TendencyRunOptions,
  tendency,
  tendencyOfRun,
  tendencyWorkflow,
} from './tendency/index.js';
export {
  type TendencyOfFileOptions,
  tendencyOfFile,
  tendencyOfFileWorkflow,
} from './tendency/of-file.js';
export type { TendencyFileOptions } from './tendency/options.js';
export {
  TRAIN_DEFAULTS,
  TRANSFORMER_DEFAULTS,
  type TrainPlace,
  type TrainResult,
  type TrainRunHow,
  type TrainRunOptions,
  trainDefaults,
  trainRun,
  trainWorkflow,
} from './train/index.js';
export {
  type JoinContext,
  type Part,
  type PartContext,
  PLAN_FORMAT,
  type Plan,
  type PlanContext,
  type Workflow,
} from './types.js';
export { WATCH_DEFAULTS, type WatchRunOptions, watchRun, watchWorkflow } from './watch/index.js';
