import { basename } from 'node:path';
import type { GeometryResult } from '@epochscope/analysis';
import { GraphRunner, graphOfRun, inputScaleOf, prepareTf } from '@epochscope/analysis';
import { EpochscopeError } from '@epochscope/core-wasm';
import { analyseGeometry } from './geometry/analyse.js';
import type { GeometryOptions, GeometrySource } from './geometry/options.js';
import { chooseSnapshots, openFor } from './open-run.js';
import type { Output } from './output.js';
import { pick, rows } from './rows.js';
import { weightHashes } from './run-inputs.js';

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
  const { run, folder } = await openFor('geometry', directory, options, output);
  const snapshots = chooseSnapshots(run, options.snapshots);
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
  const raw = rows(whole, indices);
  const tf = await prepareTf();
  const files = await weightHashes(
    run,
    snapshots.map(({ id }) => id),
  );
  const source: GeometrySource = {
    source: basename(directory),
    files,
    key: { files, indices: Array.from(indices) },
    inputShape,
    // As capture does: bytes 0 … 255 become 0 … 1.
    inputs: raw.data.map((x) => x / inputScaleOf(run.manifest)),
    samples: {
      indices,
      labels: pick(labels, indices),
      classes,
      images: await run.images(indices),
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
