import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { memoryStore, openRun, type Tensor } from '@epochscope/analysis';
import {
  bytesSource,
  datasetsOf,
  encodeNpy,
  encodeNpz,
  encodeSafetensors,
  type OpenSibling,
  openMatrix,
  readHdf5,
  readHdf5Dataset,
  readInput,
  readKerasWeights,
  readLabels,
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
import { decodeAny, decodeResult, encodeBinary, encodeInline } from '@epochscope/analysis/results';
import { recogniseRun } from '@epochscope/analysis/runs';
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

/** A matrix in any file, to the points that the kernels are given. */
const points = async (bytes: Uint8Array, options: Parameters<typeof openMatrix>[1] = {}) => {
  const matrix = await openMatrix(source(bytes), options);
  const metric = options.categories ? 'gower' : 'euclidean';
  return readInput(matrix, { metric, missing: options.missing ?? false, chosen: null });
};
const table = 'id,a,b,c\r\n1,1.5,-2e3,"x, y"\r\n2,NA,4,"p ""q"" r"\r\n3,7,1700000000.25,z\r\n';
const sparse = encodeNpz(
  new Map<string, Tensor>([
    ['indices', { data: Int32Array.of(0, 2, 1), shape: [3], dtype: 'int32' }],
    ['indptr', { data: Int32Array.of(0, 2, 3), shape: [3], dtype: 'int32' }],
    ['format', { data: Uint8Array.of(99, 115, 114), shape: [3], dtype: 'uint8' }],
    ['shape', { data: BigInt64Array.of(2n, 3n), shape: [2], dtype: 'int64' }],
    ['data', { data: Float64Array.of(1, 2, 3), shape: [3], dtype: 'float64' }],
  ]),
);
const runJson = text({
  format: 'epochscope-run/1',
  tool: { name: 'epochscope', version: '0.1.0' },
  model: graphSpec,
  layers: [{ name: 'd', kind: 'dense', shape: [2], parameters: ['d.k'] }],
  classes: ['a', 'b'],
  inputShape: [3, 3, 1],
  samples: { count: 2, source: 'x' },
  training: { seed: 1 },
  snapshots: [{ id: 'init', epoch: 0, step: 0, metrics: { loss: 1 } }],
  complete: true,
});
const graphFile = encodeSafetensors(graphWeights);
const run = async (bytes: Uint8Array) => {
  const opened = await openRun(
    memoryStore('fuzzed', [
      ['run.json', bytes],
      ['snapshots/init/weights.safetensors', graphFile],
    ]),
  );
  const { model } = opened.manifest;
  if (opened.manifest.snapshots.length && model)
    graphOfSpec(model as unknown as GraphSpec, await opened.weights('init'), 'fuzzed');
};
/** A result of version 1, and its arrays as they are. */
const resultIn = (folder: string) => (bytes: Uint8Array) =>
  decodeResult(
    new TextDecoder().decode(bytes),
    async (path) => {
      const file = fileURLToPath(new URL(`fixtures/${folder}/${path}`, import.meta.url));
      if (!existsSync(file)) throw new EpochscopeError('missing', `${path} does not exist`);
      return (await readNpy(source(new Uint8Array(readFileSync(file))))).data;
    },
    'fuzzed',
  );
const oldResult = fixture('results-1/tendency/result.json');
const someResult = {
  format: 'epochscope-result/2' as const,
  method: 'tendency',
  name: 'default',
  tool: { name: 'epochscope', version: '0.1.0' },
  input: { source: 'x', files: {} },
  parameters: {},
  seeds: {},
  seconds: 1,
  samples: { count: 3, labels: Uint32Array.of(0, 1, 1), classes: ['a', 'b'], images: null },
  panels: [{ n: 3, order: Uint32Array.of(2, 1, 0), weights: Float32Array.of(1, 2) }],
};
const trainerState = text({ epoch: 1, global_step: 5, log_history: [{ step: 5, loss: 0.5, epoch: 1 }] });
const folder = (path: string, more: [string, Uint8Array][]) => (bytes: Uint8Array) =>
  recogniseRun(memoryStore('fuzzed', [[path, bytes], ...more]));

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
  ['table', new TextEncoder().encode(table), 1000, (b) => points(b, { missing: true, categories: true })],
  ['table, gzipped', gzipSync(table), 500, (b) => points(b, { labels: 'c', missing: true })],
  ['matrix of float64', encodeNpy(Float64Array.of(1e15, 1, 1e15 + 1, 2), [2, 2]), 1000, (b) => points(b)],
  ['matrix of int64', encodeNpy(BigInt64Array.of(1n << 60n, 1n, 3n, 2n), [2, 2]), 500, (b) => points(b)],
  ['sparse matrix', sparse, 500, (b) => points(b)],
  ['labels', new TextEncoder().encode('label\na\n-1\nb\n'), 500, (b) => readLabels(source(b), undefined, 3)],
  ['run.json', runJson, 1000, run],
  ['result.json', oldResult, 500, resultIn('results-1/tendency')],
  [
    'result of another method',
    fixture('results-1/geometry/result.json'),
    300,
    resultIn('results-1/geometry'),
  ],
  ['result in one file', encodeBinary(someResult as never), 500, (b) => decodeAny(b, 'fuzzed')],
  [
    'result in a page',
    new TextEncoder().encode(encodeInline(someResult as never)),
    300,
    (b) => decodeAny(b, 'fuzzed'),
  ],
  [
    'folder of checkpoints',
    trainerState,
    300,
    folder('checkpoint-5/trainer_state.json', [['checkpoint-5/model.safetensors', shard]]),
  ],
  [
    'folder of shards',
    text({
      weight_map: { a: 'model-1.safetensors', b: 'model-1.safetensors' },
      metadata: { total_size: 332 },
    }),
    300,
    folder('checkpoint-5/model.safetensors.index.json', [['checkpoint-5/model-1.safetensors', shard]]),
  ],
];
