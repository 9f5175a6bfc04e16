// Browser-safe parts. Node-only ones are in './node.js'.
export * from './api/index.js';
export * from './engine/types.js';
export { type Csv, type CsvOptions, readCsv } from './formats/csv.js';
export { DTYPE_BYTES, dtypeOf, elementCount } from './formats/dtypes.js';
export { type HttpSourceOptions, httpSource } from './formats/http-source.js';
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
  encodeSafetensors,
  readSafetensors,
  readSafetensorsEntry,
  readSafetensorsHeader,
} from './formats/safetensors.js';
export { bytesSource } from './formats/source.js';
export * from './formats/types.js';
export * from './methods/activity/index.js';
export * from './methods/change/index.js';
export * from './methods/prune/index.js';
export * from './methods/tendency/index.js';
export { type Random, random } from './random.js';
export * from './results/index.js';
export * from './run/types.js';
export { toolInfo } from './version.js';
