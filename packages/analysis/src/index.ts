// One entry for Node and for pages: what differs between them is behind `#platform`.
export * from './api/index.js';
export { captureGraph } from './capture/graph.js';
export { type CaptureOptions, captureOutputs, readPredictions } from './capture/index.js';
export * from './datasets/index.js';
export { createEngine, setDefaultThreads } from './engine/create.js';
export { createInlineEngine } from './engine/inline.js';
export type { EngineOptions } from './engine/options.js';
export * from './engine/types.js';
export { setReadLimits } from './formats/budget.js';
export { DTYPE_BYTES, dtypeOf, elementCount, toFloat32 } from './formats/dtypes.js';
export {
  datasetsOf,
  type Hdf5Attribute,
  type Hdf5Dataset,
  type Hdf5Group,
  readHdf5,
  readHdf5Dataset,
} from './formats/hdf5/index.js';
export { type HttpSourceOptions, httpSource } from './formats/http-source.js';
export { type KerasFile, readKerasFile, readKerasWeights } from './formats/keras.js';
export { selectChannel, tensorToMatrix } from './formats/matrix.js';
export { encodeNpy, readNpy, readNpyHeader, readNpyRows } from './formats/npy.js';
export {
  encodeNpz,
  type NpzEntry,
  readNpz,
  readNpzDirectory,
  readNpzEntry,
} from './formats/npz.js';
export {
  type OnnxAttribute,
  type OnnxModel,
  type OnnxNode,
  type OnnxValue,
  readOnnx,
} from './formats/onnx/index.js';
export {
  encodeSafetensors,
  readSafetensors,
  readSafetensorsEntry,
  readSafetensorsHeader,
} from './formats/safetensors.js';
export { readSharded, readShardIndex } from './formats/sharded.js';
export type { OpenSibling } from './formats/siblings.js';
export { bytesSource } from './formats/source.js';
export { readTfjsModel, type TfjsModel } from './formats/tfjs.js';
export {
  headNorms,
  selectTokens,
  type TokenChoice,
  tokenAxis,
  tokenCount,
  tokensAsSamples,
} from './formats/tokens.js';
export {
  readTorch,
  readTorchEntry,
  readTorchHeader,
  type TorchEntry,
  type TorchHeader,
} from './formats/torch/index.js';
export * from './formats/types.js';
export * from './matrices/index.js';
export * from './methods/activity/index.js';
export * from './methods/change/index.js';
export * from './methods/geometry/index.js';
export * from './methods/modules/index.js';
export * from './methods/prune/index.js';
export * from './methods/series-check/index.js';
export * from './methods/tendency/index.js';
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
export { type Random, random } from './random.js';
export * from './results/index.js';
export {
  checkResultFolder,
  inputOfResult,
  listResults,
  MAX_RESULT_JSON,
  readResult,
  resultPath,
  writeResult,
} from './results/store.js';
export { imagesOf, pictureShape } from './run/images.js';
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
export * from './run/types.js';
export {
  createRun,
  type RunInit,
  resumeRun,
  writeIndex,
  writeOutputs,
  writePredictions,
} from './run/write.js';
export { type HashedFile, hashed, identityOf } from './stores/identity.js';
export * from './stores/index.js';
export { type RecordOptions, recordFit } from './training/callback.js';
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
export { toolInfo } from './version.js';
export * from './workflows/index.js';
