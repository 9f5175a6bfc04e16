import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type GeometryResult, type Hierarchy, random } from '@epochscope/analysis';
import {
  alexnet,
  checkResultFolder,
  fileError,
  GraphRunner,
  graphOfRun,
  inputScaleOf,
  openRun,
  prepareTf,
  type Run,
  randomAlexnet,
  readNpz,
  readSafetensors,
  withFile,
} from '@epochscope/analysis/node';
import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { analyseGeometry, type GeometryOptions, type GeometrySource } from './geometry/analyse.js';
import { readArrayFile } from './matrix-file.js';
import type { Output } from './output.js';
import { resultFolder } from './result-folder.js';
import { weightHashes } from './run-inputs.js';
import { chooseSnapshots } from './tendency-run.js';

export type { GeometryOptions } from './geometry/analyse.js';

export interface GeometryRunOptions extends GeometryOptions {
  snapshots: string[];
  /** How many inputs: taken in turn from each class where there are labels, else the first ones. */
  inputs: number;
  /** Where to write; default results/geometry/NAME in the run. */
  output?: string;
}

/**
 * Geometry of a run's snapshots on its own samples: spectra, singular vectors, tangents, steps, class trees. Writes the
 * result and answers it. Throws `unsupported` for a run whose net is not one of ours, `missing`, `memory`, `cancelled`.
 */
export async function geometryOfRun(
  directory: string,
  options: GeometryRunOptions,
  output: Output,
): Promise<{ result: GeometryResult; folder: string }> {
  const run = await openRun(directory);
  const folder = await resultFolder(directory, 'geometry', options);
  for (const warning of run.warnings) output.warn(warning);
  const snapshots = chooseSnapshots(run, options.snapshots);
  guard(snapshots.length > 0, 'missing', () => `${directory} holds no complete snapshot`, {
    path: directory,
  });
  const { model, inputShape, classes } = run.manifest;
  if (!model)
    throw new EpochscopeError(
      'unsupported',
      `${directory} does not say which net made it, and Jacobians need the net`,
      { path: directory },
    );
  for (const layer of options.layers ?? []) run.layer(layer);
  const whole = await run.inputs();
  if (!whole || !inputShape)
    throw new EpochscopeError('missing', `${directory} holds no samples/inputs.npy to linearise the net at`, {
      path: directory,
    });
  const labels = await run.labels();
  const indices = inTurn(labels, whole.shape[0], options.inputs);
  const [, d] = whole.shape;
  const raw = new Float32Array(indices.length * d);
  indices.forEach((index, i) => {
    raw.set(whole.data.subarray(index * d, (index + 1) * d), i * d);
  });
  const tf = await prepareTf();
  const sha256 = await weightHashes(
    run,
    snapshots.map(({ id }) => id),
  );
  const source: GeometrySource = {
    source: basename(directory),
    sha256,
    key: { sha256, indices: Array.from(indices) },
    inputShape,
    // As capture does: bytes 0 … 255 become 0 … 1.
    inputs: raw.map((x) => x / inputScaleOf(run.manifest)),
    samples: {
      indices,
      labels: labels ? Uint32Array.from(indices, (i) => labels[i]!) : null,
      classes,
      images: imagesOf(raw, indices.length, inputShape),
    },
    snapshots: snapshots.map(({ id, epoch, step }) => ({
      info: { id, epoch, step },
      open: async () => {
        const weights = await run.weights(id);
        return new GraphRunner(tf, graphOfRun(tf, run.manifest, weights, `${directory}, snapshot ${id}`));
      },
    })),
  };
  return { result: await analyseGeometry(source, folder, options, output), folder };
}

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

/** The same for an AlexNet-shaped net given by its weights, with no run. */
export async function geometryOfAlexnet(
  options: AlexnetOptions,
  output: Output,
): Promise<{ result: GeometryResult; folder: string }> {
  const { weights, images: pictures } = options;
  await checkResultFolder(options.output);
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
    inputs = Float32Array.from({ length: n * side }, (_, i) => Number(tensor.data[i]));
    if (tensor.data instanceof Uint8Array) {
      images = { data: tensor.data.slice(0, n * side), shape: [n, 227, 227, 3] };
      // Red green blue 0 … 255 → blue green red less the mean.
      inputs = Float32Array.from(inputs, (_, i) => inputs[i - (i % 3) + 2 - (i % 3)]! - MEAN[i % 3]!);
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
    sha256: {},
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

/** Reads a class hierarchy: JSON of nested lists. Throws `format`. */
export async function readHierarchy(file: string): Promise<Hierarchy> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw fileError(file, cause);
  });
  const check = (node: unknown, depth: number): void => {
    guard(depth < 100, 'format', () => `${file}: lists nested more than 100 deep`, { file });
    if (typeof node === 'string' || typeof node === 'number') return;
    guard(
      Array.isArray(node) && node.length > 0,
      'format',
      () => `${file}: expected nested lists of class names, got ${JSON.stringify(node)?.slice(0, 60)}`,
      { file },
    );
    for (const part of node) check(part, depth + 1);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EpochscopeError(
      'format',
      `${file}: not JSON: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
  check(json, 0);
  return json as Hierarchy;
}

/** The first sample of each class, then the second of each, …; without labels the first ones. */
function inTurn(labels: Uint32Array | null, n: number, wanted: number): Uint32Array {
  const count = Math.min(n, wanted);
  if (!labels) return Uint32Array.from({ length: count }, (_, i) => i);
  const turn = new Map<number, number>();
  const rank = Array.from(labels, (label, i) => {
    const nth = turn.get(label) ?? 0;
    turn.set(label, nth + 1);
    return { i, nth, label };
  });
  rank.sort((a, b) => a.nth - b.nth || a.label - b.label);
  return Uint32Array.from(rank.slice(0, count), ({ i }) => i);
}

function imagesOf(raw: Float32Array, n: number, shape: Run['manifest']['inputShape']) {
  if (shape?.length !== 3 || (shape[2] !== 1 && shape[2] !== 3)) return null;
  return {
    data: Uint8Array.from(raw),
    shape: [n, shape[0]!, shape[1]!, shape[2]] as [number, number, number, number],
  };
}
