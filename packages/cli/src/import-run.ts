import { basename, resolve } from 'node:path';
import { httpStore, type ImportOptions, importRun } from '@epochscope/analysis';
import { tensorToMatrix } from '@epochscope/analysis/formats';
import { checkWeights, planImport, readArchitecture } from '@epochscope/analysis/runs';
import { EpochscopeError } from '@epochscope/core-wasm';
import { table } from './commands/_shared.js';
import { readArrayFile, readLabelsFile } from './matrix-file.js';
import type { Output } from './output.js';

export interface ImportRunOptions {
  output?: string;
  outputs?: string;
  labels?: string;
  inputs?: string;
  classes?: string[];
  numbers?: 'epochs' | 'steps';
  firstEpoch?: number;
  series?: string;
  pattern?: string;
  model?: string;
  revisions?: string;
  base?: string;
  resume: boolean;
  link: boolean;
  keepLayout: boolean;
  overwrite: boolean;
}

/** Which of the checkpoints that lie somewhere. */
export interface SeriesChoice {
  revisions?: string;
  series?: string;
  pattern?: string;
}

/** A hub is asked with patience, and says so. */
export const hubOptions = (output: Output) => ({
  signal: output.signal,
  onWait: (message: string) => output.say(message),
});

/** Whether an address is that of checkpoints, rather than of a run. */
export async function isSeriesAddress(place: string, { revisions }: SeriesChoice): Promise<boolean> {
  if (!/^https?:\/\//i.test(place)) return false;
  return (
    revisions !== undefined ||
    !(await httpStore(place)
      .has('run.json')
      .catch(() => false))
  );
}

/** Reads labels and inputs, imports, says what was taken and what was not. */
export async function importFolder(
  directory: string,
  options: ImportRunOptions,
  output: Output,
): Promise<void> {
  const run = options.output ?? `${basename(resolve(directory))}-run`;
  const labels = options.labels ? await readLabelsFile(options.labels) : undefined;
  const inputs = options.inputs ? samplesOf(await readArrayFile(options.inputs), options.inputs) : undefined;
  const given: ImportOptions = {
    outputs: options.outputs,
    classes: options.classes,
    numbers: options.numbers,
    firstEpoch: options.firstEpoch,
    series: options.series,
    pattern: options.pattern,
    revisions: options.revisions,
    hub: hubOptions(output),
    base: options.base,
    resume: options.resume,
    link: options.link,
    keepLayout: options.keepLayout,
    overwrite: options.overwrite,
    architecture: options.model ? await readArchitecture(options.model, inputs?.shape.slice(1)) : undefined,
    labels,
    inputs,
  };
  const progress = output.progress(`Importing ${basename(directory)}`);
  const summary = await importRun(directory, run, {
    ...given,
    signal: output.signal,
    onProgress: (done, total, path) => progress.update(done, total, path),
  }).finally(() => progress.stop());
  for (const note of summary.notes) output.say(`note: ${note}`);
  for (const { reason } of summary.leftOut) output.warn(`left out: ${reason}`);
  output.result(
    `${summary.layout}: ${counted(summary.snapshots)}, ${summary.layers} layers, ${summary.tensors} tensors${summary.net ? ', with its net: outputs are computed when asked for' : ''}\nwritten to ${run}`,
    { run, ...summary },
  );
}

const counted = (snapshots: readonly { id: string }[]): string =>
  snapshots.length === 1
    ? `1 snapshot (${snapshots[0]!.id})`
    : `${snapshots.length} snapshots (${snapshots[0]!.id} … ${snapshots.at(-1)!.id})`;

/** Samples as bytes or float32, which runs hold. */
function samplesOf(tensor: Awaited<ReturnType<typeof readArrayFile>>, file: string) {
  if (tensor.data instanceof Uint8Array) return tensor;
  const { data } = tensorToMatrix(tensor, file);
  return { data, shape: tensor.shape, dtype: 'float32' as const };
}

/** What a folder of checkpoints would give, looking at every file's header. */
export async function describeFolder(
  directory: string,
  { revisions, series, pattern }: SeriesChoice,
  output: Output,
): Promise<void> {
  const plan = await planImport(directory, { revisions, series, pattern, hub: hubOptions(output) });
  const progress = output.progress('Looking at files');
  const rows: (string | number)[][] = [];
  const broken: { path: string; reason: string }[] = [];
  try {
    for (const [i, snapshot] of plan.snapshots.entries()) {
      progress.update(i, plan.snapshots.length, snapshot.path);
      let tensors: string | number = '–';
      try {
        if (snapshot.weights) tensors = (await checkWeights(plan.store, snapshot.weights)).length;
      } catch (cause) {
        if (!(cause instanceof EpochscopeError) || cause.code === 'internal') throw cause;
        broken.push({ path: snapshot.path, reason: cause.message });
        tensors = 'unreadable';
      }
      rows.push([
        snapshot.path,
        snapshot.epoch ?? '–',
        snapshot.step ?? '–',
        tensors,
        snapshot.files.length || '–',
      ]);
    }
  } finally {
    progress.stop();
  }
  for (const note of plan.notes) output.say(`note: ${note}`);
  for (const { reason } of broken) output.warn(reason);
  const shown = rows.length > 40 ? [...rows.slice(0, 20), ...rows.slice(-20)] : rows;
  output.result(
    [
      `${plan.layout}: ${rows.length} ${rows.length === 1 ? 'snapshot' : 'snapshots'}, to be read with "epochscope import ${directory} -o RUN"`,
      '',
      table([['file', 'epoch', 'step', 'tensors', 'outputs'], ...shown]),
      ...(shown.length < rows.length ? [`(first and last 20 of ${rows.length})`] : []),
    ].join('\n'),
    {
      layout: plan.layout,
      snapshots: plan.snapshots.map(({ path, epoch, step, metrics, files }) => ({
        path,
        epoch,
        step,
        metrics,
        outputs: files.map(({ layer }) => layer),
      })),
      series: plan.series,
      notes: plan.notes,
      unreadable: broken,
    },
  );
}
