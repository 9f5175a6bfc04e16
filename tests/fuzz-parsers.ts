import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import {
  createRun,
  hubStore,
  memoryStore,
  openRun,
  type Store,
  storeOf,
  type Tensor,
  toolInfo,
  withFile,
  zipOf,
} from '@epochscope/analysis';
import { readBatchPlan } from '@epochscope/analysis/batch';
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
import {
  buildModel,
  type GraphSpec,
  graphOfKeras,
  graphOfOnnx,
  graphOfSpec,
  type ModelSpec,
  openDataset,
  prepareTf,
} from '@epochscope/analysis/models';
import { decodeAny, decodeResult, encodeBinary, encodeInline } from '@epochscope/analysis/results';
import { recogniseRun } from '@epochscope/analysis/runs';
import { EpochscopeError } from '@epochscope/core-wasm';
import { readPart, writePart } from '../packages/analysis/src/batch/parts.js';
import { readTar } from '../packages/analysis/src/datasets/tar.js';
import { readDistributed } from '../packages/analysis/src/formats/torch/distributed.js';
import { mergedAdapter } from '../packages/analysis/src/run/import/adapter.js';
import { parseLink } from '../packages/analysis/src/run/link.js';
import { webFolderStore } from '../packages/analysis/src/stores/web-folder.js';
import { decodePart, encodePart } from '../packages/analysis/src/workflows/parts.js';
import { readState, writeState } from '../packages/analysis/src/workflows/train/state.js';
import { readHierarchy } from '../packages/cli/src/hierarchy.js';

// Every parser with a file it reads (other: refuses), for fuzz.test.ts and `npm run fuzz`. `rounds`: cases in `npm test`.

const fixtures = new Map<string, Uint8Array>();
const fixture = (name: string) => {
  const place = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  const bytes = fixtures.get(name) ?? new Uint8Array(readFileSync(place));
  fixtures.set(name, bytes);
  return bytes;
};
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
      const file = `${folder}/${path}`;
      if (!existsSync(fileURLToPath(new URL(`fixtures/${file}`, import.meta.url))))
        throw new EpochscopeError('missing', `${path} does not exist`);
      return (await readNpy(source(fixture(file)))).data;
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
/** All there is in a run: every snapshot's weights, the samples, a layer's outputs. */
const wholeRun = async (store: Store) => {
  const opened = await openRun(store);
  for (const { id } of opened.manifest.snapshots) {
    await opened.weights(id);
    for (const { name } of opened.manifest.layers)
      if (await opened.hasOutputs(id, name)) await opened.outputs(id, name);
  }
  await opened.labels();
  return opened;
};
const stored = async (store: Store, path: string) => {
  const file = await store.open(path);
  return (await file.read(0, file.size)).slice();
};
const withSteps = memoryStore('run');
const writer = await createRun(withSteps, {
  model: null,
  layers: [],
  classes: null,
  inputShape: [3],
  training: null,
});
await writer.writeSamples({
  inputs: { data: new Float32Array(9), shape: [3, 3], dtype: 'float32' },
  labels: Uint32Array.of(0, 1, 1),
  source: 'x',
});
for (let step = 0; step < 3; step++)
  await writer.appendSnapshot({ id: `step-${step}`, epoch: null, step, metrics: { loss: 1 } }, graphWeights);
await writer.finish();
/** That run with one of its files fuzzed. */
const runWith = (path: string) => async (bytes: Uint8Array) => {
  const files: [string, Uint8Array][] = [];
  for (const other of [
    'run.json',
    'index.json',
    'steps/index.jsonl',
    'steps/weights.bin',
    'samples/labels.npy',
  ])
    files.push([other, other === path ? bytes : await stored(withSteps, other)]);
  return wholeRun(memoryStore('fuzzed', files));
};
const builtModel = async (bytes: Uint8Array) => {
  const tf = await prepareTf();
  const { manifest } = await openRun(memoryStore('fuzzed', [['run.json', bytes]]));
  // A net without a specification is an imported one's.
  if (!manifest.model) return;
  const { inputShape = [], hidden = [] } = manifest.model as Partial<ModelSpec>;
  const size = [...inputShape, ...hidden];
  // A large net is no fault of the file's.
  if (size.reduce((all, one) => all * Math.max(one, 1), 1) > 1e6) return;
  try {
    buildModel(tf, manifest.model as unknown as ModelSpec);
  } finally {
    tf.disposeVariables();
  }
};
const mlpRun = text({
  ...JSON.parse(new TextDecoder().decode(runJson)),
  model: { name: 'mlp', inputShape: [2, 2, 1], classes: 2, seed: 1, hidden: [3], activation: 'sigmoid' },
});
const batchPlan = text({
  format: 'epochscope-batch/1',
  tool: { name: 'epochscope', version: toolInfo.version },
  command: ['tendency', 'x.npy'],
  directory: '/tmp',
  memory: 1e9,
  tasks: [0, 1].map((i) => ({
    key: `${i}`.repeat(64),
    what: 'a part',
    memory: 1e6,
    reads: null,
    seconds: 1,
    after: i ? [0] : [],
  })),
  work: { kind: 'points', points: { n: 3 }, source: 'x.npy', identity: {} },
});
const part = {
  key: 'a'.repeat(64),
  seconds: 1,
  reads: { x: { size: 1, stamp: '1' } },
  output: { order: Uint32Array.of(2, 1, 0), deep: [{ weights: Float32Array.of(1, 2) }] },
};
const batchPart = memoryStore('batch');
await writePart(batchPart, part as never);
const partFile = (path: string) => `parts/${part.key}/${path}`;
const trainState = memoryStore('state');
await writeState(trainState, 'key', {
  step: 3,
  lossSum: 1.5,
  images: 30,
  imagesAtEvaluation: null,
  weights: graphWeights,
  optimizer: graphWeights,
});
const partArrays = await readNpz(source(encodePart(part as never)));
const treeOfPart = partArrays.get('part')!.data as Uint8Array;
/** A header before safetensors' data. */
const headed = (header: Uint8Array) => {
  const out = new Uint8Array(8 + header.length + 332);
  new DataView(out.buffer).setBigUint64(0, BigInt(header.length), true);
  out.set(header, 8);
  return out;
};
const STATE = 'unfinished/training.safetensors';
const checkpoint = 'checkpoints/distcp-sharded/step-10';
const distributed = (fuzzed: string) => async (bytes: Uint8Array) => {
  const file = (name: string) =>
    bytesSource(name, name === fuzzed ? bytes : fixture(`${checkpoint}/${name.replace(/\//g, '')}`));
  const { tensors } = await readDistributed(file('.metadata'), async (name) => {
    if (!/^__[01]_0\.distcp$/.test(name)) throw new EpochscopeError('missing', `${name} does not exist`);
    return file(name);
  });
  for (const tensor of tensors.values()) await tensor.bytes();
};
const tar = (() => {
  const out = new Uint8Array(3 * 512 + 512);
  const put = (value: string, at: number) => out.set(new TextEncoder().encode(value), at);
  put('folder/a.txt', 0);
  put('00000000010\0', 124);
  put('0', 156);
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : out[i]!;
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  put('contents', 512);
  return out;
})();
const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8);
const idxLabels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1, 0);
const mnist = (name: string) => async (bytes: Uint8Array) => {
  const of = (other: string, whole: Uint8Array): [string, Uint8Array] => [
    other,
    other === name ? bytes : whole,
  ];
  const data = await openDataset(
    memoryStore('fuzzed', [
      of('train-images-idx3-ubyte', idx),
      of('train-labels-idx1-ubyte', idxLabels),
      of('t10k-images-idx3-ubyte', idx),
      of('t10k-labels-idx1-ubyte', idxLabels),
    ]),
  );
  return data;
};
const cifarBatch = new Uint8Array(2 * 3073);
const cifar = (bytes: Uint8Array) =>
  openDataset(
    memoryStore('fuzzed', [
      ...[1, 2, 3, 4, 5].map((i): [string, Uint8Array] => [
        `data_batch_${i}.bin`,
        i === 1 ? bytes : cifarBatch,
      ]),
      ['test_batch.bin', cifarBatch],
    ]),
  );
const page = '<html><a href="../">up</a><a href="a%20b.pt">a</a> <a href=\'epoch/\'>e</a></html>';
const answer = (body: Uint8Array, type: string) =>
  new Response(body as Uint8Array<ArrayBuffer>, { headers: { 'content-type': type } });
const webPage = (bytes: Uint8Array) =>
  webFolderStore('http://h.test/runs/', { fetch: async () => answer(bytes, 'text/html') }).list('');
const sha = (letter: string) => letter.repeat(40);
const hubRefs = {
  branches: [{ name: 'main', targetCommit: sha('a') }],
  tags: [{ name: 'v1', targetCommit: sha('b') }],
};
const hubTree = [
  {
    type: 'file',
    path: 'model.safetensors',
    size: 10,
    oid: sha('c'),
    lfs: { oid: 'd'.repeat(64), size: 10 },
  },
  { type: 'directory', path: 'x', size: 0, oid: sha('e') },
];
const hub = (which: 'refs' | 'tree') => async (bytes: Uint8Array) => {
  const store = await hubStore('http://h.test/org/model', undefined, {
    fetch: async (address) => {
      const kind = String(address).includes('/refs') ? 'refs' : 'tree';
      return answer(kind === which ? bytes : text(kind === 'refs' ? hubRefs : hubTree), 'application/json');
    },
  });
  return store.list('');
};
const link = text({
  format: 'epochscope-weights/1',
  files: [{ place: '/x/model.safetensors', size: 1000, stamp: '1000-5' }],
  tensors: { k: { file: 0, begin: 80, dtype: 'float32', shape: [3, 2], axes: [1, 0] } },
});
const adapterConfig = text({
  peft_type: 'LORA',
  r: 2,
  lora_alpha: 4,
  rank_pattern: { d: 2 },
  alpha_pattern: {},
});
const memoryTensor = (shape: number[]) => ({
  dtype: 'float32' as const,
  shape,
  bytes: async () => new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
});
const adapter = async (bytes: Uint8Array) => {
  const merged = await mergedAdapter(
    memoryStore('fuzzed', [['adapter_config.json', bytes]]),
    'adapter_model.safetensors',
    new Map([
      ['base_model.model.d.lora_A.weight', memoryTensor([2, 4])],
      ['base_model.model.d.lora_B.weight', memoryTensor([3, 2])],
    ]),
    new Map([['net.d.weight', memoryTensor([3, 4])]]),
  );
  for (const tensor of merged.values()) await tensor.bytes();
};
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`;
const otherFile = (bytes: Uint8Array) =>
  withFile(new Blob([bytes as Uint8Array<ArrayBuffer>]), readSafetensors);
const runZip = await zipOf(
  memoryStore('run', [
    ['run.json', runJson],
    ['snapshots/init/weights.safetensors', graphFile],
  ]),
);

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
    'run in a zip',
    runZip,
    300,
    async (b) => wholeRun(await storeOf(new Blob([b as Uint8Array<ArrayBuffer>]))),
  ],
  ['net of run.json', mlpRun, 200, builtModel],
  ['step log', await stored(withSteps, 'steps/index.jsonl'), 300, runWith('steps/index.jsonl')],
  [
    'records of the step log',
    await stored(withSteps, 'steps/weights.bin'),
    100,
    runWith('steps/weights.bin'),
  ],
  ['labels of a run', await stored(withSteps, 'samples/labels.npy'), 200, runWith('samples/labels.npy')],
  ['link to weights', link, 300, async (b) => parseLink(new TextDecoder().decode(b), 'weights.json')],
  ['adapter', adapterConfig, 300, adapter],
  ['plan of a batch', batchPlan, 300, (b) => readBatchPlan(memoryStore('fuzzed', [['plan.json', b]]))],
  [
    'part of a batch',
    await stored(batchPart, partFile('part.json')),
    300,
    async (b) =>
      readPart(
        memoryStore('fuzzed', [
          [partFile('part.json'), b],
          [partFile('a0.npy'), await stored(batchPart, partFile('a0.npy'))],
          [partFile('a1.npy'), await stored(batchPart, partFile('a1.npy'))],
        ]),
        part.key,
      ),
  ],
  ['part of a workflow', encodePart(part as never), 300, (b) => decodePart(source(b))],
  [
    'tree of a part',
    treeOfPart,
    300,
    (b) =>
      decodePart(
        source(
          encodeNpz(
            new Map([...partArrays, ['part', { data: b, shape: [b.length], dtype: 'uint8' as const }]]),
          ),
        ),
      ),
  ],
  [
    'header of safetensors',
    shard.slice(8, 8 + shard[0]! + 256 * shard[1]!),
    300,
    (b) => readSafetensors(source(headed(b))),
  ],
  [
    'numbers of a training',
    text({ step: 3, lossSum: 1.5, images: 30, imagesAtEvaluation: null }),
    300,
    (b) => {
      const file = encodeSafetensors(graphWeights, { key: 'key', numbers: new TextDecoder().decode(b) });
      return readState(memoryStore('fuzzed', [[STATE, file]]), 'key');
    },
  ],
  [
    'state of a training',
    await stored(trainState, STATE),
    300,
    (b) => readState(memoryStore('fuzzed', [[STATE, b]]), 'key'),
  ],
  ['distributed, metadata', fixture(`${checkpoint}/.metadata`), 300, distributed('.metadata')],
  ['distributed, pieces', fixture(`${checkpoint}/__0_0.distcp`), 300, distributed('__0_0.distcp')],
  ['other: PyTorch, old', fixture('formats/legacy.pt'), 500, (b) => readTorch(source(b))],
  ['other: PyTorch, whole model', fixture('formats/whole-model.pt'), 300, (b) => readTorch(source(b))],
  ['other: TorchScript', fixture('formats/torchscript.pt'), 300, (b) => readTorch(source(b))],
  ['IDX images', idx, 300, mnist('train-images-idx3-ubyte')],
  ['IDX labels, gzipped', new Uint8Array(gzipSync(idxLabels)), 200, mnist('t10k-labels-idx1-ubyte')],
  ['CIFAR', cifarBatch, 100, cifar],
  ['tar', tar, 300, async (b) => readTar(b, 'fuzzed')],
  ['page of links', new TextEncoder().encode(page), 100, webPage],
  ['hub, refs', text(hubRefs), 300, hub('refs')],
  ['hub, tree', text(hubTree), 300, hub('tree')],
  [
    'hierarchy',
    text([['a', ['b', 1]], 'c']),
    300,
    (b) => readHierarchy(new Blob([b as Uint8Array<ArrayBuffer>]) as never),
  ],
  ['other: file that stands for another', new TextEncoder().encode(pointer), 200, otherFile],
  ['other: GGUF', Uint8Array.of(0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9), 100, otherFile],
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
