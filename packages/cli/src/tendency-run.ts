import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, join } from 'node:path';
import {
  alignPanels,
  analyseTendency,
  type Engine,
  type MarkRule,
  type TendencyInput,
  type TendencyPanel,
  type TendencyResult,
  type Tensor,
  type ThinningPlan,
  tensorToMatrix,
  thinningSteps,
  thinTendency,
  toolInfo,
} from '@epochscope/analysis';
import { createEngine } from '@epochscope/analysis/engine';
import {
  checkResultFolder,
  fileError,
  labelsOf,
  openRun,
  type Run,
  writeResult,
} from '@epochscope/analysis/node';
import { EpochscopeError, guard, type Matrix, type Metric } from '@epochscope/core-wasm';
import { readArrayFile, splitArrayPath } from './matrix-file.js';
import type { Output } from './output.js';
import { resultFolder } from './result-folder.js';
import { captureRun, predictedBy } from './train-run.js';

export interface TendencyRunOptions {
  layers?: string[];
  snapshots: string[];
  metric: Metric;
  /** The first so many samples, or those a file of numbers lists. */
  samples?: number | string;
  /** Undefined: ten of the largest log-likelihood per class where there are predictions. */
  marks?: MarkRule[];
  /** Files of one number a row, for a plain matrix. */
  labels?: string;
  predictions?: string;
  vatSide: number;
  seed: number;
  name: string;
  output?: string;
  /** Subsets to try along the order of `reference`; default the last layer at the last snapshot. */
  thin?: ThinningPlan;
  reference?: { layer: string; snapshot: string };
  /** Called with the result before it is written; a throw leaves nothing behind. */
  check?: (result: TendencyResult) => void;
}

const PAPER_MARKS: MarkRule[] = [{ rule: 'top-likelihood', k: 10 }];

/** A panel to be, whose outputs are read when they are wanted: one layer in memory at a time. */
interface Source {
  snapshot: TendencyPanel['snapshot'];
  layer: string;
  input(): Promise<TendencyInput>;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(file)) hash.update(part);
  } catch (cause) {
    throw fileError(file, cause);
  }
  return hash.digest('hex');
}

/** Which samples are analysed: all (null), or their numbers. */
type Chosen = Uint32Array | null;

async function chooseSamples(wanted: number | string | undefined, n: number): Promise<Chosen> {
  if (wanted === undefined) return null;
  if (typeof wanted === 'number')
    return wanted < n ? Uint32Array.from({ length: wanted }, (_, i) => i) : null;
  const list = labelsOf(column(await readArrayFile(wanted)), wanted);
  const seen = new Set<number>();
  list.forEach((sample, row) => {
    guard(
      sample < n && !seen.has(sample),
      'argument',
      () => `${wanted}: row ${row}: expected a sample 0 … ${n - 1} that is not listed yet, got ${sample}`,
      { file: wanted, row, got: sample },
    );
    seen.add(sample);
  });
  return list;
}

const pick = <T extends Uint32Array | Float32Array>(list: T | null, chosen: Chosen): T | null => {
  if (!list || !chosen) return list;
  const out = new (list.constructor as new (length: number) => T)(chosen.length);
  chosen.forEach((sample, i) => {
    out[i] = list[sample]!;
  });
  return out;
};
const rows = (m: Matrix, chosen: Chosen): Matrix => {
  if (!chosen) return m;
  const d = m.shape[1];
  const data = new Float32Array(chosen.length * d);
  chosen.forEach((sample, i) => {
    data.set(m.data.subarray(sample * d, (sample + 1) * d), i * d);
  });
  return { data, shape: [chosen.length, d] };
};

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
  const folder = await resultFolder(directory, 'tendency', options);
  for (const warning of run.warnings) output.warn(warning);
  const snapshots = chooseSnapshots(run, options.snapshots);
  guard(snapshots.length > 0, 'missing', () => `${directory} holds no complete snapshot`, {
    path: directory,
  });
  const last = run.manifest.layers.at(-1)?.name;
  const layers = [...new Set(options.layers ?? (last ? [last] : []))];
  guard(layers.length > 0, 'missing', () => `${directory} names no layer`, { path: directory });
  for (const layer of layers) run.layer(layer);
  const reference = options.thin ? referenceOf(run, layers, snapshots, options.reference) : undefined;
  // The last layer's outputs give predictions, for marks and scores.
  const needed = run.manifest.model && last ? [...new Set([...layers, last])] : layers;
  await captureRun(
    run,
    snapshots.map(({ id }) => id),
    needed,
    output,
  );

  const labels = await run.labels();
  const count = run.manifest.samples?.count ?? (await run.outputs(snapshots[0]!.id, layers[0]!)).shape[0];
  const chosen = await chooseSamples(options.samples, count);
  // Refused before the long part.
  if (options.thin) thinningSteps(options.thin, chosen?.length ?? count);
  const sources: Source[] = [];
  const hashes: Record<string, string> = {};
  for (const { id, epoch, step } of snapshots) {
    const predicted = await predictedBy(run, id, labels);
    for (const layer of layers) {
      const snapshot = { id, epoch, step };
      const file = join('snapshots', id, 'outputs', `${run.layer(layer).name}.npy`);
      hashes[file] ??= await sha256(join(directory, file));
      sources.push({
        snapshot,
        layer,
        input: async () => {
          const whole = await run.outputs(id, layer);
          guard(
            whole.shape[0] === count,
            'shape',
            () => `${join(directory, file)}: expected outputs of ${count} samples, got ${whole.shape[0]}`,
            { file, expected: count, got: whole.shape[0] },
          );
          return {
            snapshot,
            layer,
            outputs: rows(whole, chosen),
            labels: pick(labels, chosen),
            predictions: pick(predicted?.predictions ?? null, chosen),
            logLikelihood: pick(predicted?.logLikelihood ?? null, chosen),
          };
        },
      });
    }
  }
  const result = await analyse(
    sources,
    { ...options, reference },
    { source: basename(directory), sha256: hashes },
    {
      classes: run.manifest.classes,
      images: await imagesOf(run, chosen),
      labels: pick(labels, chosen),
      chosen,
    },
    output,
  );
  return write(folder, result, options, output);
}

/** The panel whose order is thinned, by the names the run knows; it must be one of those analysed. */
function referenceOf(
  run: Run,
  layers: readonly string[],
  snapshots: readonly { id: string }[],
  wanted: TendencyRunOptions['reference'],
): { layer: string; snapshot: string } {
  const layer = wanted?.layer ?? layers.at(-1)!;
  run.layer(layer);
  const snapshot = wanted ? run.snapshot(wanted.snapshot).id : snapshots.at(-1)!.id;
  guard(
    layers.includes(layer) && snapshots.some(({ id }) => id === snapshot),
    'missing',
    () => `thinning: the reference ${layer}/${snapshot} is not among the layers and snapshots analysed`,
    { layer, snapshot },
  );
  return { layer, snapshot };
}

const ENDING = /\.(npy|npz|csv|safetensors)(:.*)?$/;
/** A table of one column is a list. */
const column = (tensor: Tensor) =>
  tensor.shape.length === 2 && tensor.shape[1] === 1 ? { ...tensor, shape: [tensor.shape[0]!] } : tensor;

/** Analyses a plain matrix of points: no run, labels and predictions optional. */
export async function tendencyOfFile(
  file: string,
  options: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  const whole = tensorToMatrix(await readArrayFile(file), file);
  const folder = options.output ?? `${file.replace(ENDING, '')}-tendency`;
  await checkResultFolder(folder);
  const count = whole.shape[0];
  const listOf = async (from: string | undefined, what: string) => {
    if (from === undefined) return null;
    const list = labelsOf(column(await readArrayFile(from)), from);
    guard(
      list.length === count,
      'shape',
      () => `${from}: ${count} rows of ${file} need as many ${what}, got ${list.length}`,
      { file: from, expected: count, got: list.length },
    );
    return list;
  };
  const labels = await listOf(options.labels, 'labels');
  const predictions = await listOf(options.predictions, 'predictions');
  const chosen = await chooseSamples(options.samples, count);
  // Refused before the long part.
  if (options.thin) thinningSteps(options.thin, chosen?.length ?? count);
  const name = basename(file).replace(ENDING, '');
  const snapshot = { id: name, epoch: null, step: null };
  const outputs = rows(whole, chosen);
  const input: TendencyInput = {
    snapshot,
    layer: name,
    outputs,
    labels: pick(labels, chosen),
    predictions: pick(predictions, chosen),
    logLikelihood: null,
  };
  const result = await analyse(
    [{ snapshot, layer: name, input: async () => input }],
    { ...options, reference: { layer: name, snapshot: name } },
    { source: file, sha256: { [basename(file)]: await sha256(splitArrayPath(file).file) } },
    { classes: null, images: null, labels: pick(labels, chosen), chosen },
    output,
  );
  return write(folder, result, options, output);
}

async function analyse(
  sources: Source[],
  options: TendencyRunOptions,
  input: TendencyResult['input'],
  samples: Pick<TendencyResult['samples'], 'classes' | 'images' | 'labels'> & { chosen: Chosen },
  output: Output,
): Promise<TendencyResult> {
  const engine = createEngine();
  const begun = performance.now();
  const shared = {
    metric: options.metric,
    vatSide: options.vatSide,
    seed: options.seed,
    signal: output.signal,
  };
  const marksOf = (one: TendencyInput) => options.marks ?? (one.logLikelihood ? PAPER_MARKS : []);
  let panels: TendencyPanel[] = [];
  try {
    const progress = output.progress('Cluster tendency');
    try {
      for (const [i, source] of sources.entries()) {
        const one = await source.input();
        panels.push(
          await analyseTendency(engine, one, {
            ...shared,
            marks: marksOf(one),
            onProgress: (done, total) =>
              progress.update(i + done / total, sources.length, `${source.snapshot.id} ${source.layer}`),
          }),
        );
      }
    } finally {
      progress.stop();
    }
    panels = alignPanels(panels);
    const thinning = options.thin && (await thinned(engine));
    const n = panels[0]!.n;
    return {
      format: 'epochscope-result/1',
      method: 'tendency',
      name: options.name,
      tool: toolInfo,
      input,
      parameters: {
        metric: options.metric,
        marks: options.marks ?? 'top-likelihood 10 where there are predictions',
        vatSide: options.vatSide,
        samples: typeof options.samples === 'string' ? options.samples : n,
        ...(options.thin ? { thin: { ...options.thin } } : {}),
      },
      seeds: { analysis: options.seed },
      seconds: (performance.now() - begun) / 1000,
      samples: {
        count: n,
        labels: samples.labels,
        classes: samples.classes,
        images: samples.images,
        ...(samples.chosen ? { indices: samples.chosen } : {}),
      },
      panels,
      ...(thinning ? { thinning } : {}),
    };
  } finally {
    await engine.close();
  }

  async function thinned(pool: Engine) {
    const progress = output.progress('Thinning');
    try {
      const first = await sources[0]!.input();
      return await thinTendency(
        pool,
        sources.map((source, i) => ({ panel: panels[i]!, input: source.input })),
        {
          ...shared,
          vatSide: 0,
          marks: marksOf(first),
          plan: options.thin!,
          reference: options.reference!,
          onProgress: (done, total) => progress.update(done, total),
        },
      );
    } finally {
      progress.stop();
    }
  }
}

async function write(
  folder: string,
  result: TendencyResult,
  { check }: TendencyRunOptions,
  output: Output,
): Promise<{ result: TendencyResult; folder: string }> {
  check?.(result);
  if (output.signal.aborted) throw new EpochscopeError('cancelled', 'cancelled before anything was written');
  await writeResult(folder, result);
  return { result, folder };
}

/** Pictures of the samples for galleries, where the inputs are images of bytes. */
async function imagesOf(run: Run, chosen: Chosen): Promise<TendencyResult['samples']['images']> {
  const shape = run.manifest.inputShape;
  const inputs = shape?.length === 3 && (shape[2] === 1 || shape[2] === 3) ? await run.inputs() : null;
  if (!inputs || !shape) return null;
  const picked = rows(inputs, chosen);
  return { data: Uint8Array.from(picked.data), shape: [picked.shape[0], shape[0]!, shape[1]!, shape[2]!] };
}
