export { captureGraph } from './capture/graph.js';
export { type CaptureOptions, captureOutputs, readPredictions } from './capture/index.js';
export * from './datasets/index.js';
export { fileError, fileSource, withFile } from './formats/file-source.js';
export * from './index.js';
export { alexnet, randomAlexnet } from './models/alexnet/index.js';
export {
  type Graph,
  type GraphKind,
  type GraphNode,
  type GraphOp,
  GraphRunner,
  type GraphSpec,
  graphOfModel,
  graphOfOnnx,
  graphOfRun,
  graphOfSpec,
  inputScaleOf,
  isActivation,
  isGraphSpec,
  type LinearisedGraph,
  shapesOf,
} from './models/graph/index.js';
export {
  buildModel,
  loadWeights,
  MODEL_NAMES,
  type ModelSpec,
  type Net,
  prepareTf,
  type Tf,
  weightsOf,
} from './models/index.js';
export { graphOfKeras } from './models/keras/index.js';
export { checkResultFolder, listResults, MAX_RESULT_JSON, readResult, writeResult } from './results/store.js';
export { isTemporary, makeFolder, writeFileAtomic, writeFolderAtomic } from './run/atomic.js';
export {
  type Architecture,
  canonicalWeights,
  checkWeights,
  type FoundRun,
  type FoundSnapshot,
  type ImportOptions,
  type ImportPlan,
  type ImportSummary,
  importRun,
  type PlannedSnapshot,
  planImport,
  type RecogniseOptions,
  readArchitecture,
  readWeights,
  recogniseRun,
  type WeightsKind,
  type WeightsPlace,
} from './run/import/index.js';
export { isSafeName } from './run/manifest.js';
export { labelsOf, openRun, readManifest } from './run/read.js';
export { createRun, type RunInit, resumeRun, writeOutputs, writePredictions } from './run/write.js';
export { type GradientOptions, lossGradient } from './training/gradient.js';
export {
  evaluate,
  type PretrainOptions,
  pretrain,
  type SnapshotPolicy,
  snapshotPlan,
  type TrainOptions,
  type TrainProgress,
  type TrainSummary,
  train,
} from './training/index.js';
