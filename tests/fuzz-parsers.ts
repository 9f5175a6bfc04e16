import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@epochscope/analysis';
import {
  bytesSource,
  datasetsOf,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
  type OpenSibling,
  readHdf5,
  readHdf5Dataset,
  readKerasWeights,
  readNpy,
  readNpz,
  readOnnx,
  readSafetensors,
  readSharded,
  readTable,
  readTfjsModel,
  readTorch,
} from '@epochscope/analysis/formats';
import { type GraphSpec, graphOfKeras, graphOfOnnx, graphOfSpec } from '@epochscope/analysis/models';
import { EpochscopeError } from '@epochscope/core-wasm';

// Every parser with a file it reads, for fuzz.test.ts and `npm run fuzz`. `rounds`: cases in `npm test`.

const fixture = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))));
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const three = { data: Float32Array.of(1, 2, 3), shape: [3], dtype: 'float32' as const };
const tensors = new Map<string, Tensor>([
  ['a', three],
  ['b', { data: new Float64Array(40), shape: [8, 5], dtype: 'float64' as const }],
]);
const source = (bytes: Uint8Array) => bytesSource('fuzzed', bytes);
/** The fuzzed file beside a whole one. */
const beside =
  (name: string, fuzzed: Uint8Array, other: string, whole: Uint8Array): OpenSibling =>
  (wanted, body) => {
    if (wanted !== name && wanted !== other) throw new EpochscopeError('missing', `${wanted} does not exist`);
    return body(bytesSource(wanted, wanted === name ? fuzzed : whole));
  };
const hdf5 = async (bytes: Uint8Array) => {
  const file = source(bytes);
  for (const dataset of datasetsOf(await readHdf5(file)).values()) await readHdf5Dataset(file, dataset);
};
const tfjsModel = text({
  modelTopology: {},
  weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'k', shape: [3], dtype: 'float32' }] }],
});
const w = new Uint8Array(three.data.buffer);
const shard = encodeSafetensors(tensors);

const onnx = async (bytes: Uint8Array) => {
  const open: OpenSibling = (name, body) => {
    if (name !== 'm.onnx') throw new EpochscopeError('missing', `${name} does not exist`);
    return body(source(bytes));
  };
  return graphOfOnnx(await readOnnx(open, 'm.onnx'), 'fuzzed');
};
const kerasWeights = readKerasWeights(source(fixture('formats/branches.weights.h5'))).then(
  (tensors) => new Map([...tensors].map(([name, tensor]) => [name.replace('/', '.'), tensor])),
);
const keras = async (bytes: Uint8Array) => {
  const weights = await kerasWeights;
  return graphOfKeras(parse(bytes), weights, 'fuzzed');
};
const parse = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new EpochscopeError('format', 'not JSON');
  }
};

const graphWeights = new Map([
  ['d.k', { data: new Float32Array(6), shape: [3, 2], dtype: 'float32' as const }],
]);
const graphSpec = {
  name: 'graph',
  inputShape: [3, 3, 1],
  inputScale: 1,
  nodes: [
    { name: 'p', kind: 'max-pool', inputs: ['input'], size: [2, 2], strides: [2, 1], padding: [0, 1, 0, 1] },
    { name: 'r', kind: 'reshape', inputs: ['p'], shape: [2, 3] },
    { name: 'd', kind: 'dense', inputs: ['r'], kernel: 'd.k' },
  ],
};

export const PARSERS: [
  name: string,
  seedFile: Uint8Array,
  rounds: number,
  read: (bytes: Uint8Array) => Promise<unknown>,
][] = [
  ['npy', encodeNpy(three.data, [3]), 2000, (b) => readNpy(source(b))],
  ['npz', encodeNpz(tensors, { compress: true }), 1500, (b) => readNpz(source(b))],
  ['safetensors', shard, 1500, (b) => readSafetensors(source(b))],
  ['csv', new TextEncoder().encode('a,b\n1,2\n3,"4"\n'), 1000, (b) => readTable(source(b))],
  ['PyTorch', fixture('formats/tensors.pt'), 2000, (b) => readTorch(source(b))],
  ['PyTorch checkpoint', fixture('formats/checkpoint.pt'), 1000, (b) => readTorch(source(b))],
  ['HDF5, old', fixture('formats/plain-earliest.h5'), 200, hdf5],
  ['HDF5, new', fixture('formats/plain-latest.h5'), 200, hdf5],
  ['HDF5, ordered', fixture('formats/plain-ordered.h5'), 200, hdf5],
  ['Keras weights', fixture('layouts/keras-weights/01.weights.h5'), 400, (b) => readKerasWeights(source(b))],
  ['Keras zip', fixture('layouts/keras-zip/net-01.keras'), 400, (b) => readKerasWeights(source(b))],
  ['Keras HDF5', fixture('layouts/keras-h5/weights.01-1.00.h5'), 400, (b) => readKerasWeights(source(b))],
  ['tfjs model.json', tfjsModel, 1000, (b) => readTfjsModel(beside('model.json', b, 'w.bin', w))],
  ['tfjs weights', w, 300, (b) => readTfjsModel(beside('w.bin', b, 'model.json', tfjsModel))],
  ['ONNX', fixture('onnx/torch-branches-unfused.onnx'), 1500, (b) => onnx(b)],
  ['ONNX of PyTorch', fixture('onnx/torch-view.onnx'), 1000, (b) => onnx(b)],
  ['Keras architecture', fixture('formats/branches.json'), 400, async (b) => keras(b)],
  [
    'graph of run.json',
    text(graphSpec),
    1000,
    async (b) => graphOfSpec(parse(b) as GraphSpec, graphWeights, 'fuzzed'),
  ],
  [
    'index of shards',
    text({ weight_map: { a: 's.safetensors', b: 's.safetensors' } }),
    1000,
    (b) => readSharded(beside('i.json', b, 's.safetensors', shard), 'i.json'),
  ],
];
