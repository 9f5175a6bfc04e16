// Browser-safe parts. Node-only ones are in './node.js'.
export * from './api/index.js';
export * from './engine/types.js';
export { type Csv, type CsvOptions, readCsv } from './formats/csv.js';
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
  readTorch,
  readTorchEntry,
  readTorchHeader,
  type TorchEntry,
  type TorchHeader,
} from './formats/torch/index.js';
export * from './formats/types.js';
export * from './methods/activity/index.js';
export * from './methods/change/index.js';
export * from './methods/geometry/index.js';
export * from './methods/modules/index.js';
export * from './methods/prune/index.js';
export * from './methods/series-check/index.js';
export * from './methods/tendency/index.js';
export { type Random, random } from './random.js';
export * from './results/index.js';
export { createMemoryRun, type MemoryRun } from './run/memory.js';
export * from './run/types.js';
export { type RecordOptions, recordFit } from './training/callback.js';
export { toolInfo } from './version.js';
