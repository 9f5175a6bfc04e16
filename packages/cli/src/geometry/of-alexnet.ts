import { basename } from 'node:path';
import {
  alexnet,
  type GeometryResult,
  GraphRunner,
  prepareTf,
  random,
  randomAlexnet,
  readNpz,
  readSafetensors,
  toFloat32,
  withFile,
} from '@epochscope/analysis';
import { guard } from '@epochscope/core-wasm';
import { checkOutput } from '../files.js';
import { readArrayFile } from '../matrix-file.js';
import type { Output } from '../output.js';
import { analyseGeometry } from './analyse.js';
import type { GeometryOptions, GeometrySource } from './options.js';

export interface AlexnetOptions extends GeometryOptions {
  /** .safetensors or .npz; default: random weights. */
  weights?: string;
  /** n × 227 × 227 × 3: bytes (RGB) or what the net takes (float); default: random smooth pictures. */
  images?: string;
  inputs: number;
  output: string;
}

/** ImageNet's mean in Caffe's order, blue green red. */
const MEAN = [104.007, 116.669, 122.679];

/** Geometry of an AlexNet-shaped net given by its weights, with no run. */
export async function geometryOfAlexnet(
  options: AlexnetOptions,
  output: Output,
): Promise<{ result: GeometryResult; folder: string }> {
  const { weights, images: pictures } = options;
  await checkOutput(options.output);
  const side = 227 * 227 * 3;
  let inputs: Float32Array;
  let images: GeometryResult['samples']['images'] = null;
  if (pictures) {
    const tensor = await readArrayFile(pictures);
    guard(
      tensor.shape.length === 4 && tensor.shape.slice(1).join() === '227,227,3',
      'shape',
      () => `${pictures}: expected pictures n × 227 × 227 × 3, got shape [${tensor.shape}]`,
      { file: pictures },
    );
    const n = Math.min(options.inputs, tensor.shape[0]!);
    inputs = toFloat32(tensor.data.subarray(0, n * side) as typeof tensor.data);
    if (tensor.data instanceof Uint8Array) {
      images = { data: tensor.data.slice(0, n * side), shape: [n, 227, 227, 3] };
      // Red green blue 0 … 255 → blue green red less the mean.
      const pixels = inputs;
      inputs = pixels.map((_, i) => pixels[i - (i % 3) + 2 - (i % 3)]! - MEAN[i % 3]!);
    }
  } else inputs = smoothPictures(options.inputs, options.seed);
  const count = inputs.length / side;
  guard(count > 0, 'argument', () => `${pictures ?? '--inputs'}: expected at least one picture`);
  const load = async () => {
    if (!weights) return randomAlexnet(options.seed);
    guard(
      /\.(npz|safetensors)$/.test(weights),
      'unsupported',
      () => `${weights}: expected weights as .npz or .safetensors`,
      { file: weights },
    );
    const tensors = await withFile(weights, weights.endsWith('.npz') ? readNpz : readSafetensors);
    return alexnet(tensors, weights);
  };
  const graph = await load();
  const tf = await prepareTf();
  const source: GeometrySource = {
    source: weights ? basename(weights) : `AlexNet with random weights, seed ${options.seed}`,
    files: {},
    key: { weights: weights ?? null, pictures: pictures ?? null, count },
    inputShape: graph.inputShape,
    inputs,
    samples: {
      indices: Uint32Array.from({ length: count }, (_, i) => i),
      labels: null,
      classes: null,
      images,
    },
    snapshots: [
      {
        info: { id: weights ? basename(weights).replace(/\.\w+$/, '') : 'random', epoch: null, step: null },
        open: async () => new GraphRunner(tf, graph),
      },
    ],
  };
  return { result: await analyseGeometry(source, options.output, options, output), folder: options.output };
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
