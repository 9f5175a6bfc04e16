export {
  ACTIVITY_DEFAULTS,
  type ActivityRunOptions,
  activityOfRun,
  activityWorkflow,
} from './activity/index.js';
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
export {
  DIFFERENCE_DEFAULTS,
  type DifferenceAbout,
  type DifferenceOfMatricesOptions,
  type DifferenceRunOptions,
  difference,
  differenceOfInputs,
  differenceOfRun,
  differenceOfRuns,
  differenceWorkflow,
} from './difference/index.js';
export { type AlexnetSource, geometryOfAlexnet } from './geometry/alexnet.js';
export {
  GEOMETRY_DEFAULTS,
  type GeometryRunOptions,
  geometryOfRun,
  geometryWorkflow,
} from './geometry/index.js';
export { type MatrixInput, type MatrixRunOptions, matrixRun } from './matrix-run.js';
export {
  MODULES_DEFAULTS,
  type ModulesRunOptions,
  modulesOfRun,
  modulesWorkflow,
} from './modules/index.js';
export type { PartsPlace } from './parts.js';
export {
  PATH_DEFAULTS,
  type PathAbout,
  type PathEnd,
  type PathOfMatrixOptions,
  type PathRunOptions,
  path,
  pathOfInput,
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
export {
  checkMemory,
  type Elsewhere,
  planWorkflow,
  runPlan,
  runWorkflow,
  type WorkflowOptions,
  type WorkflowProgress,
} from './run.js';
export { chooseSnapshots, chosenSamples, pick } from './select.js';
export { checkOfRun } from './series-check.js';
export {
  TENDENCY_DEFAULTS,
  type TendencyOfMatrixOptions,
  type TendencyRunOptions,
  tendency,
  tendencyOfRun,
  tendencyWorkflow,
} from './tendency/index.js';
export {
  type TendencyInputAbout,
  type TendencyOfInputOptions,
  tendencyOfInput,
} from './tendency/of-input.js';
export {
  TRAIN_DEFAULTS,
  type TrainPlace,
  type TrainResult,
  type TrainRunHow,
  type TrainRunOptions,
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
