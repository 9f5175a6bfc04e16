// A run's files and results one by one, and what other tools left as a run. Opening and writing runs: the main entry.

export {
  checkResultFolder,
  inputOfResult,
  MAX_RESULT_JSON,
  resultPath,
} from './results/store.js';
export { imagesOf, pictureShape } from './run/images.js';
export {
  type Architecture,
  canonicalWeights,
  checkWeights,
  type FoundRun,
  type FoundSnapshot,
  type ImportPlan,
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
export { labelsOf, readManifest } from './run/read.js';
export { RUN_FORMAT } from './run/types.js';
export { writeIndex, writeOutputs, writePredictions } from './run/write.js';
export { identityOf } from './stores/identity.js';
