// Files of other tools, each over one `ByteSource`: arrays, weights, nets, tables, matrices of samples.

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
export { encodeNpz, type NpzEntry, readNpz, readNpzDirectory, readNpzEntry } from './formats/npz.js';
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
  TOKEN_CHOICES,
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
export type * from './formats/types.js';
export * from './matrices/index.js';
