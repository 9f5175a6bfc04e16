import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { elementCount, toFloat32 } from '../../formats/dtypes.js';
import type { Tensor } from '../../formats/types.js';
import type { GeometryResult } from '../../methods/geometry/index.js';
import { alexnet, randomAlexnet } from '../../models/alexnet/index.js';
import { layersOfGraph, specOf } from '../../models/graph/spec.js';
import { random } from '../../random.js';
import { openRun } from '../../run/read.js';
import type { Run } from '../../run/types.js';
import { createRun } from '../../run/write.js';
import { memoryStore } from '../../stores/memory.js';
import type { WorkflowOptions } from '../run.js';
import { GEOMETRY_DEFAULTS, type GeometryRunOptions, geometryOfRun } from './index.js';

export interface AlexnetSource {
  /** Tensors as `alexnet` takes them, and what to call them; null: random weights. */
  weights: { name: string; tensors: ReadonlyMap<string, Tensor> } | null;
  /** n × 227 × 227 × 3: bytes (RGB) or what the net takes (float), and what to call them; null: random smooth pictures. */
  images: { name: string; tensor: Tensor } | null;
}

const SIDE = 227;
const SHAPE = [SIDE, SIDE, 3];
/** ImageNet's mean in Caffe's order, blue green red. */
const MEAN = [104.007, 116.669, 122.679];

/** Geometry of an AlexNet-shaped net given by its weights: as `geometryOfRun`, on a run in memory. Throws `shape`, `missing`, `argument`. */
export async function geometryOfAlexnet(
  source: AlexnetSource,
  options: Partial<Omit<GeometryRunOptions, 'snapshots'>> = {},
  how: WorkflowOptions = {},
): Promise<GeometryResult> {
  const { run, pictures } = await alexnetRun(
    source,
    options.inputs ?? GEOMETRY_DEFAULTS.inputs,
    options.seed ?? GEOMETRY_DEFAULTS.seed,
  );
  const result = await geometryOfRun(run, { ...options, snapshots: ['last'] }, how);
  return { ...result, samples: { ...result.samples, images: pictures } };
}

async function alexnetRun(
  { weights, images }: AlexnetSource,
  wanted: number,
  seed: number,
): Promise<{ run: Run; pictures: GeometryResult['samples']['images'] }> {
  const size = elementCount(SHAPE);
  let inputs: Float32Array;
  let pictures: GeometryResult['samples']['images'] = null;
  if (images) {
    const { name, tensor } = images;
    guard(
      tensor.shape.length === 4 && tensor.shape.slice(1).join() === SHAPE.join(),
      'shape',
      () => `${name}: expected pictures n × 227 × 227 × 3, got shape [${tensor.shape}]`,
      { file: name },
    );
    const n = Math.min(wanted, tensor.shape[0]!);
    inputs = toFloat32(tensor.data).slice(0, n * size);
    if (tensor.data instanceof Uint8Array) {
      pictures = { data: tensor.data.slice(0, n * size), shape: [n, SIDE, SIDE, 3] };
      // Red green blue 0 … 255 → blue green red less the mean.
      const rgb = inputs;
      inputs = rgb.map((_, i) => rgb[i - (i % 3) + 2 - (i % 3)]! - MEAN[i % 3]!);
    }
  } else inputs = smoothPictures(wanted, seed);
  const count = inputs.length / size;
  if (count === 0)
    throw new EpochscopeError('argument', `${images?.name ?? 'inputs'}: expected at least one picture`);
  const graph = weights ? alexnet(weights.tensors, weights.name) : randomAlexnet(seed);
  const store = memoryStore(weights ? weights.name : `AlexNet with random weights, seed ${seed}`);
  const writer = await createRun(store, {
    model: { ...specOf(graph, 1) },
    layers: layersOfGraph(graph),
    classes: null,
    inputShape: SHAPE,
    training: null,
  });
  await writer.writeSamples({
    inputs: { data: inputs, shape: [count, ...SHAPE], dtype: 'float32' },
    labels: null,
    source: images?.name ?? `random pictures, seed ${seed}`,
  });
  const id = weights ? weights.name.replace(/\.\w+$/, '').replace(/[^\w.-]+/g, '_') : 'random';
  await writer.writeSnapshot({ id, epoch: null, step: null, metrics: {} }, new Map(graph.weights));
  await writer.finish();
  return { run: await openRun(store), pictures };
}

/** Pictures of soft spots, about as bright as what the net takes: sums of twelve plane waves of falling strength. */
function smoothPictures(n: number, seed: number): Float32Array {
  const out = new Float32Array(n * 227 * 227 * 3);
  for (let p = 0; p < n; p++) {
    const source = random(seed, 0x91c, p);
    const waves = Array.from({ length: 12 }, () => {
      const frequency = 2 ** (5 * source.uniform());
      const angle = 2 * Math.PI * source.uniform();
      return {
        x: ((2 * Math.PI * frequency) / 227) * Math.cos(angle),
        y: ((2 * Math.PI * frequency) / 227) * Math.sin(angle),
        shift: 2 * Math.PI * source.uniform(),
        colour: [source.normal(), source.normal(), source.normal()].map(
          (c) => (60 * c) / Math.sqrt(frequency),
        ),
      };
    });
    for (let y = 0, at = p * 227 * 227 * 3; y < 227; y++)
      for (let x = 0; x < 227; x++, at += 3)
        for (const wave of waves) {
          const value = Math.cos(wave.x * x + wave.y * y + wave.shift);
          for (let c = 0; c < 3; c++) out[at + c]! += value * wave.colour[c]!;
        }
  }
  return out;
}
