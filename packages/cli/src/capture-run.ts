import {
  buildModel,
  captureGraph,
  captureOutputs,
  GraphRunner,
  graphOfRun,
  inputScaleOf,
  isGraphSpec,
  loadWeights,
  type ModelSpec,
  prepareTf,
  type Run,
  readPredictions,
  writeOutputs,
} from '@epochscope/analysis';
import { EpochscopeError } from '@epochscope/core-wasm';
import { checkFinite } from '@epochscope/core-wasm/jobs';
import type { Output } from './output.js';

/** Log-likelihoods and predictions of the analysis samples at one snapshot. */
export interface Predicted {
  predictions: Uint32Array;
  logLikelihood: Float32Array | null;
}

/**
 * Captures layer outputs that a run does not hold yet, by running its own net on its own samples, and writes them into
 * it. Throws `unsupported` for a run whose net is not one of ours.
 */
export async function captureRun(
  run: Run,
  snapshotIds: readonly string[],
  layers: readonly string[],
  output: Output,
): Promise<void> {
  const { name: directory } = run.store;
  const missing: { id: string; layers: string[] }[] = [];
  for (const id of snapshotIds) {
    const wanted: string[] = [];
    for (const layer of new Set(layers.map((name) => run.layer(name).name)))
      if (!(await run.hasOutputs(id, layer))) wanted.push(layer);
    if (wanted.length) missing.push({ id, layers: wanted });
  }
  if (!missing.length) return;
  const { manifest } = run;
  if (!manifest.model)
    throw new EpochscopeError(
      'unsupported',
      `${directory}: snapshot ${missing[0]!.id} holds no outputs of layer ${missing[0]!.layers[0]}, and the run does not say which net made it; record the outputs where it was trained`,
      { path: directory },
    );
  const inputs = await run.inputs();
  if (!inputs || !manifest.inputShape)
    throw new EpochscopeError('missing', `${directory} holds no samples/inputs.npy to run the net on`, {
      path: directory,
    });
  const tf = await prepareTf();
  // run.inputs() widens bytes to float32 0 … 255; the nets take 0 … 1.
  const scaled = inputs.data.map((x) => x / inputScaleOf(manifest));
  const samples = {
    data: scaled,
    shape: [inputs.shape[0], ...manifest.inputShape],
    dtype: 'float32' as const,
  };
  const net = isGraphSpec(manifest.model) ? null : buildModel(tf, manifest.model as unknown as ModelSpec);
  const progress = output.progress('Capturing layer outputs');
  try {
    for (const [i, { id, layers: wanted }] of missing.entries()) {
      const weights = await run.weights(id);
      const source = `${directory}, snapshot ${id}`;
      const how = {
        layers: wanted,
        signal: output.signal,
        onProgress: (done: number, total: number) =>
          progress.update(i * total + done, missing.length * total, id),
      };
      let captured: Awaited<ReturnType<typeof captureOutputs>>;
      if (net) {
        loadWeights(tf, net, weights, source);
        captured = await captureOutputs(tf, net, samples, how);
      } else {
        const runner = new GraphRunner(tf, graphOfRun(tf, manifest, weights, source));
        captured = await captureGraph(runner, samples, how).finally(() => runner.dispose());
      }
      await writeOutputs(run.store, id, captured);
    }
  } finally {
    progress.stop();
  }
}

/** Predictions from the last layer's captured outputs, where it gives log-probabilities over the run's classes; else null. */
export async function predictedBy(
  run: Run,
  snapshotId: string,
  labels: Uint32Array | null,
): Promise<Predicted | null> {
  const last = run.manifest.layers.at(-1);
  if (last?.kind !== 'log-softmax' || last.shape[0] !== run.manifest.classes?.length) return null;
  if (!(await run.hasOutputs(snapshotId, last.name))) return null;
  const outputs = await run.outputs(snapshotId, last.name);
  checkFinite(outputs, `${run.store.name}, snapshot ${snapshotId}, layer ${last.name}`);
  return readPredictions(outputs, labels);
}
