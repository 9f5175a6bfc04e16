// Nets, their training and what their layers give out: on tfjs, or as graphs of any tool.

export { type CaptureOptions, captureGraph, captureOutputs, readPredictions } from './capture/index.js';
export * from './datasets/index.js';
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
  smoothJvp,
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
export { type GradientOptions, lossGradient } from './training/gradient.js';
export {
  evaluate,
  type PretrainOptions,
  pretrain,
  type SnapshotPolicy,
  type Standardise,
  snapshotPlan,
  type TrainOptions,
  type TrainProgress,
  type TrainSummary,
  train,
} from './training/index.js';
