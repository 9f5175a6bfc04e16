import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  analyseTendency,
  type MarkRule,
  type TendencyInput,
  type TendencyPanel,
  type TendencyResult,
  type Tensor,
  tensorToMatrix,
  toolInfo,
} from '@epochscope/analysis';
import { createEngine } from '@epochscope/analysis/engine';
import { labelsOf, openRun, type Run, writeResult } from '@epochscope/analysis/node';
import { EpochscopeError, guard, type Matrix, type Metric } from '@epochscope/core-wasm';
import { readArrayFile, splitArrayPath } from './matrix-file.js';
import type { Output } from './output.js';
import { writePictures } from './pictures.js';
import { captureRun, predictedBy } from './train-run.js';

export interface TendencyRunOptions {
  layers?: string[];
  snapshots: string[];
  metric: Metric;
  samples?: number;
  /** Undefined: ten of the largest log-likelihood per class where there are labels and predictions. */
  marks?: MarkRule[];
  labels?: string;
  vatSide: number;
  seed: number;
  name: string;
  output?: string;
  png: boolean;
}

const PAPER_MARKS: MarkRule[] = [{ rule: 'top-likelihood', k: 10 }];
const sha256 = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
const head = <T extends { subarray(from: number, to: number): T }>(list: T | null, n: number) =>
  list?.subarray(0, n) ?? null;
const rows = (m: Matrix, n: number): Matrix =>
  n < m.shape[0] ? { data: m.data.subarray(0, n * m.shape[1]), shape: [n, m.shape[1]] } : m;

/** Snapshots by id, epoch, "first", "last", "init" or "all", in the run's order, each once. */
export function chooseSnapshots(run: Run, wanted: readonly string[]): Run['manifest']['snapshots'] {
  if (wanted.includes('all')) return run.manifest.snapshots;
  const ids = new Set(wanted.map((name) => run.snapshot(name).id));
  return run.manifest.snapshots.filter(({ id }) => ids.has(id));
}

/** Analyses layers × snapshots of a run, capturing outputs it does not hold, and writes the result into it (or `output`). */
export async function tendencyOfRun(
  directory: string,
  options: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  const run = await openRun(directory);
  for (const warning of run.warnings) output.warn(warning);
  const snapshots = chooseSnapshots(run, options.snapshots);
  guard(snapshots.length > 0, 'missing', () => `${directory} holds no complete snapshot`, {
    path: directory,
  });
  const last = run.manifest.layers.at(-1)?.name;
  const layers = options.layers ?? (last ? [last] : []);
  guard(layers.length > 0, 'missing', () => `${directory} names no layer`, { path: directory });
  for (const layer of layers) run.layer(layer);
  // The last layer's outputs give predictions, for marks and scores.
  const needed = run.manifest.model && last ? [...new Set([...layers, last])] : layers;
  await captureRun(
    run,
    snapshots.map(({ id }) => id),
    needed,
    output,
  );

  const labels = await run.labels();
  const inputs: (TendencyInput & { file: string })[] = [];
  for (const snapshot of snapshots) {
    const predicted = await predictedBy(run, snapshot.id, labels);
    for (const layer of layers) {
      const whole = await run.outputs(snapshot.id, layer);
      const n = Math.min(options.samples ?? whole.shape[0], whole.shape[0]);
      inputs.push({
        snapshot: { id: snapshot.id, epoch: snapshot.epoch, step: snapshot.step },
        layer,
        outputs: rows(whole, n),
        labels: head(labels, n),
        predictions: head(predicted?.predictions ?? null, n),
        logLikelihood: head(predicted?.logLikelihood ?? null, n),
        file: join('snapshots', snapshot.id, 'outputs', `${run.layer(layer).name}.npy`),
      });
    }
  }
  const images = await imagesOf(run, inputs[0]!.outputs.shape[0]);
  const hashes: Record<string, string> = {};
  for (const { file } of inputs) hashes[file] ??= await sha256(join(directory, file));
  const result = await analyse(
    inputs,
    options,
    { source: basename(directory), sha256: hashes },
    run.manifest.classes,
    images,
    output,
  );
  const folder = options.output ?? join(directory, 'results', 'tendency', options.name);
  return write(folder, result, options, output);
}

const ENDING = /\.(npy|npz|csv|safetensors)(:.*)?$/;
/** A table of one column is a list. */
const labelColumn = (tensor: Tensor) =>
  tensor.shape.length === 2 && tensor.shape[1] === 1 ? { ...tensor, shape: [tensor.shape[0]!] } : tensor;

/** Analyses a plain matrix of points: no run, labels optional. */
export async function tendencyOfFile(
  file: string,
  options: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  const whole = tensorToMatrix(await readArrayFile(file), file);
  const n = Math.min(options.samples ?? whole.shape[0], whole.shape[0]);
  const labelFile = options.labels;
  const labels = labelFile ? labelsOf(labelColumn(await readArrayFile(labelFile)), labelFile) : null;
  guard(
    !labels || labels.length === whole.shape[0],
    'shape',
    () => `${labelFile}: ${whole.shape[0]} rows of ${file} need as many labels, got ${labels?.length}`,
    { file: labelFile, expected: whole.shape[0], got: labels?.length },
  );
  const name = basename(file).replace(ENDING, '');
  const input = {
    snapshot: { id: name, epoch: null, step: null },
    layer: name,
    outputs: rows(whole, n),
    labels: head(labels, n),
    predictions: null,
    logLikelihood: null,
  };
  const result = await analyse(
    [input],
    options,
    { source: file, sha256: { [basename(file)]: await sha256(splitArrayPath(file).file) } },
    null,
    null,
    output,
  );
  return write(options.output ?? `${file.replace(ENDING, '')}-tendency`, result, options, output);
}

async function analyse(
  inputs: TendencyInput[],
  options: TendencyRunOptions,
  input: TendencyResult['input'],
  classes: string[] | null,
  images: TendencyResult['samples']['images'],
  output: Output,
): Promise<TendencyResult> {
  const engine = createEngine();
  const progress = output.progress('Cluster tendency');
  const begun = performance.now();
  const panels: TendencyPanel[] = [];
  try {
    for (const [i, one] of inputs.entries()) {
      const marks = options.marks ?? (one.labels && one.logLikelihood ? PAPER_MARKS : []);
      panels.push(
        await analyseTendency(engine, one, {
          metric: options.metric,
          marks,
          vatSide: options.vatSide,
          seed: options.seed,
          signal: output.signal,
          onProgress: (done, total) =>
            progress.update(i + done / total, inputs.length, `${one.snapshot.id} ${one.layer}`),
        }),
      );
    }
  } finally {
    progress.stop();
    await engine.close();
  }
  const first = inputs[0]!;
  return {
    format: 'epochscope-result/1',
    method: 'tendency',
    name: options.name,
    tool: toolInfo,
    input,
    parameters: {
      metric: options.metric,
      marks: options.marks ?? 'top-likelihood 10 where there are labels',
      vatSide: options.vatSide,
      samples: first.outputs.shape[0],
    },
    seeds: { analysis: options.seed },
    seconds: (performance.now() - begun) / 1000,
    samples: {
      count: first.outputs.shape[0],
      labels: first.labels ? Uint32Array.from(first.labels) : null,
      classes,
      images,
    },
    panels,
  };
}

async function write(
  folder: string,
  result: TendencyResult,
  { png }: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  if (output.signal.aborted) throw new EpochscopeError('cancelled', 'cancelled before anything was written');
  await writeResult(folder, result);
  if (png) await writePictures(folder, result);
  return { result, folder };
}

/** Pictures of the samples for galleries, where the inputs are images of bytes. */
async function imagesOf(run: Run, n: number): Promise<TendencyResult['samples']['images']> {
  const shape = run.manifest.inputShape;
  const inputs = shape?.length === 3 && (shape[2] === 1 || shape[2] === 3) ? await run.inputs() : null;
  if (!inputs || !shape) return null;
  const data = Uint8Array.from(inputs.data.subarray(0, n * inputs.shape[1]));
  return { data, shape: [n, shape[0]!, shape[1]!, shape[2]!] };
}
