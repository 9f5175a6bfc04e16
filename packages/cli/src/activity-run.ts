import { basename } from 'node:path';
import {
  type ActivityPanel,
  type ActivityResult,
  analyseActivity,
  isActivation,
  type LayerInfo,
  RESULT_FORMAT,
  type Run,
  toolInfo,
} from '@epochscope/analysis';
import { EpochscopeError, guard, type Matrix } from '@epochscope/core-wasm';
import { checkCancelled } from './cancelled.js';
import { captureRun, predictedBy } from './capture-run.js';
import { chooseSnapshots, openFor } from './open-run.js';
import type { Output } from './output.js';
import { writeWhole } from './result-folder.js';
import { fileHashes } from './run-inputs.js';

export interface ActivityRunOptions {
  /** Default: the feature maps after their activation, else convolutions, else dense layers. */
  layers?: string[];
  snapshots: string[];
  /** Only the first n samples. */
  samples?: number;
  name: string;
  output?: string;
}

/** Layers whose output is what the paper calls feature maps. */
function featureMaps(layers: readonly LayerInfo[]): string[] {
  const maps = layers.filter(({ shape }) => shape.length === 3);
  const activations = maps.filter(({ kind }) => isActivation(kind));
  const convolutions = maps.filter(({ kind }) => kind === 'conv2d');
  const dense = layers.filter(({ kind }) => kind === 'dense');
  return (activations.length ? activations : convolutions.length ? convolutions : dense).map(
    ({ name }) => name,
  );
}

/**
 * What the filters of layers respond to, class by class, on the correctly predicted samples; written as result
 * `activity`. Captures outputs that the run does not hold. Throws `missing` where labels, predictions or inputs are not there.
 */
export async function activityOfRun(
  directory: string,
  options: ActivityRunOptions,
  output: Output,
): Promise<{ result: ActivityResult; folder: string }> {
  const { run, folder } = await openFor('activity', directory, options, output);
  const { manifest } = run;
  const snapshots = chooseSnapshots(run, options.snapshots);
  const layers = [...new Set(options.layers ?? featureMaps(manifest.layers))].map((name) => run.layer(name));
  guard(
    layers.length > 0,
    'missing',
    () => `${directory} has no layer of feature maps; name one with --layer`,
    { path: directory },
  );
  const labels = await run.labels();
  const inputs = await inputsOf(run);
  guard(
    labels && inputs && manifest.classes,
    'missing',
    () =>
      `${directory} holds no ${!labels ? 'samples/labels.npy' : !inputs ? 'samples/inputs.npy' : 'class names'}; activity compares the classes of its samples`,
    { path: directory },
  );
  const last = manifest.layers.at(-1)!;
  const names = layers.map(({ name }) => name);
  const needed = manifest.model ? [...new Set([...names, last.name])] : names;
  const ids = snapshots.map(({ id }) => id);
  await captureRun(run, ids, needed, output);

  const n = Math.min(options.samples ?? labels.length, labels.length);
  const begun = performance.now();
  const panels: ActivityPanel[] = [];
  const files: string[] = ['samples/inputs.npy', 'samples/labels.npy'];
  const progress = output.progress('Activity');
  try {
    for (const snapshot of snapshots) {
      const predictions = await predictionsAt(run, snapshot.id, labels);
      for (const layer of layers) {
        checkCancelled(output, 'activity was cancelled');
        const outputs = await run.outputs(snapshot.id, layer.name);
        files.push(`snapshots/${snapshot.id}/outputs/${layer.name}.npy`);
        panels.push(
          analyseActivity({
            snapshot: { id: snapshot.id, epoch: snapshot.epoch, step: snapshot.step },
            layer: layer.name,
            outputs: head(outputs, n),
            filters: layer.shape.at(-1) ?? 1,
            inputs: head(inputs, n),
            labels: labels.subarray(0, n),
            predictions: predictions.subarray(0, n),
            classes: manifest.classes.length,
          }),
        );
        progress.update(panels.length, snapshots.length * layers.length, `${snapshot.id} ${layer.name}`);
      }
    }
  } finally {
    progress.stop();
  }
  const result: ActivityResult = {
    format: RESULT_FORMAT,
    method: 'activity',
    name: options.name,
    tool: toolInfo,
    input: { source: basename(directory), files: await fileHashes(run, files) },
    parameters: { layers: names, snapshots: ids, samples: n },
    seeds: {},
    seconds: (performance.now() - begun) / 1000,
    classes: manifest.classes,
    panels,
  };
  warnOfUndefined(panels, manifest.classes, output);
  await writeWhole(folder, result, output);
  return { result, folder };
}

/** One line a snapshot and reason: it is the same for all its layers. */
function warnOfUndefined(panels: readonly ActivityPanel[], classes: readonly string[], output: Output): void {
  const told = new Map<string, Set<string>>();
  for (const { snapshot, undefinedClasses } of panels)
    for (const { class: c, reason } of undefinedClasses) {
      const line = `${snapshot.id}: ${reason}`;
      told.set(line, (told.get(line) ?? new Set()).add(classes[c]!));
    }
  for (const [line, names] of told)
    output.warn(
      `${line}, so no activity, for ${names.size > 1 ? 'classes' : 'class'} ${[...names].slice(0, 12).join(', ')}${names.size > 12 ? `, … (${names.size})` : ''}`,
    );
}

const head = ({ data, shape }: Matrix, n: number): Matrix => ({
  data: data.subarray(0, n * shape[1]),
  shape: [Math.min(n, shape[0]), shape[1]],
});

/** The net's inputs as it sees them: bytes are divided by 255. */
async function inputsOf(run: Run): Promise<Matrix | null> {
  const inputs = await run.inputs();
  if (!inputs) return null;
  const first = await run.inputTensor({ rows: [0, 0] });
  return first?.dtype === 'uint8' ? { data: inputs.data.map((x) => x / 255), shape: inputs.shape } : inputs;
}

/** From the last layer's log-probabilities; else samples/predictions.npy, which is about the last snapshot only. */
async function predictionsAt(run: Run, id: string, labels: Uint32Array): Promise<Uint32Array> {
  const predicted = await predictedBy(run, id, labels);
  if (predicted) return predicted.predictions;
  const file = `${run.store.name}/samples/predictions.npy`;
  if (run.snapshot('last').id === id) {
    const predictions = await run.predictions();
    if (predictions) {
      guard(
        predictions.length === labels.length,
        'shape',
        () => `${file}: expected ${labels.length} predictions, got ${predictions.length}`,
        { file, expected: labels.length, got: predictions.length },
      );
      return predictions;
    }
  }
  throw new EpochscopeError(
    'missing',
    `${run.store.name}: what snapshot ${id} predicts is not known: its last layer gives no log-probabilities, and samples/predictions.npy ${run.snapshot('last').id === id ? 'is not there' : 'is about the last snapshot'}`,
    { path: run.store.name, snapshot: id },
  );
}
