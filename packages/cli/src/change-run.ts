import { basename, join } from 'node:path';
import {
  analyseChange,
  analyseTracks,
  type ChangeResult,
  choosePaths,
  type FileIdentity,
  type PathRule,
  RESULT_FORMAT,
  type ResultBase,
  type Run,
  type SnapshotInfo,
  type Tensor,
  type TracksResult,
  toolInfo,
} from '@epochscope/analysis';
import { formatBytes, guard } from '@epochscope/core-wasm';
import { checkCancelled } from './cancelled.js';
import { writeResultTo } from './files.js';
import { chooseSnapshots, openFor } from './open-run.js';
import type { Output } from './output.js';
import { writeWhole } from './result-folder.js';
import { weightHashes } from './run-inputs.js';

export interface ChangeRunOptions {
  /** Snapshots by id, epoch, "first", "last" or "init". */
  from: string;
  to: string;
  /** Default: every layer with parameters. */
  layers?: string[];
  /** Snapshots that paths and update sizes run over; null: no tracks. */
  tracks: string[] | null;
  paths: PathRule;
  name: string;
  /** Folder instead of the run's results; tracks go into its subfolder "tracks". */
  output?: string;
}

/** Values before and changes are kept for every parameter, and a page holds them as text of at most half a gigabyte. */
const MAX_PARAMETERS = 30_000_000;

/**
 * Δ of every parameter between two snapshots of a run with the figures of the paper's claim, and the tracks over its
 * snapshots; written as results `change` and `tracks`. Throws as `analyseChange`, and `memory` for a net too large at once.
 */
export async function changeOfRun(
  directory: string,
  options: ChangeRunOptions,
  output: Output,
): Promise<{ result: ChangeResult; tracks: TracksResult | null; folder: string }> {
  const { run, folder } = await openFor('change', directory, options, output);
  const [from, to] = [run.snapshot(options.from), run.snapshot(options.to)];
  guard(
    from.id !== to.id,
    'argument',
    () => `--from ${options.from} and --to ${options.to} are the same snapshot, ${from.id}`,
    { from: from.id, to: to.id },
  );
  for (const layer of options.layers ?? []) run.layer(layer);
  const tracked = options.tracks ? chooseSnapshots(run, options.tracks) : [];
  const { layers, inputShape } = run.manifest;
  const begun = performance.now();
  await refuseTooLarge(run, to.id, options.layers);
  const change = analyseChange({
    from: { snapshot: from, weights: await run.weights(from.id) },
    to: { snapshot: to, weights: await run.weights(to.id) },
    layers,
    inputShape,
    ...(options.layers ? { only: options.layers } : {}),
  });
  const base = (
    parameters: Record<string, unknown>,
    files: Record<string, FileIdentity>,
  ): Omit<ResultBase, 'method'> => ({
    format: RESULT_FORMAT,
    name: options.name,
    tool: toolInfo,
    input: { source: basename(directory), files },
    parameters,
    seeds: options.paths.rule === 'random' ? { paths: options.paths.seed } : {},
    seconds: (performance.now() - begun) / 1000,
  });
  const result: ChangeResult = {
    ...base(
      { from: from.id, to: to.id, layers: change.layers.map(({ layer }) => layer) },
      await weightHashes(run, [from.id, to.id]),
    ),
    method: 'change',
    ...change,
  };

  let tracks: TracksResult | null = null;
  if (tracked.length > 1) {
    const paths = choosePaths(change.tensors, options.paths);
    const over = await analyseTracks(
      reading(
        run,
        tracked,
        change.tensors.map(({ name }) => name),
        output,
      ),
      layers,
      paths,
    );
    tracks = {
      ...base(
        { snapshots: tracked.length, paths: options.paths, layers: change.layers.map(({ layer }) => layer) },
        // Between them lie thousands; those of the step log have their own checksums.
        await weightHashes(run, [tracked[0]!.id, tracked.at(-1)!.id]),
      ),
      method: 'tracks',
      ...over,
    };
  }
  await writeWhole(folder, result, output);
  if (tracks)
    await writeResultTo(
      options.output ? join(options.output, 'tracks') : join(directory, 'results', 'tracks', options.name),
      tracks,
    );
  return { result, tracks, folder };
}

async function refuseTooLarge(run: Run, id: string, layers: string[] | undefined): Promise<void> {
  const { tensors } = await run.weightPlaces(id);
  const own = layers && new Set(layers.flatMap((layer) => run.layer(layer).parameters));
  let count = 0;
  for (const { name, shape } of tensors.values())
    if (!own || own.has(name)) count += shape.reduce((a, b) => a * b, 1);
  guard(
    count <= MAX_PARAMETERS,
    'memory',
    () =>
      `${count} parameters give a result of ${formatBytes(8 * count)}, over the ${formatBytes(8 * MAX_PARAMETERS)} one page can hold; choose layers with --layers`,
    { got: count, expected: MAX_PARAMETERS },
  );
}

/** Snapshots one after the other, with only the tensors asked for. */
async function* reading(
  run: Run,
  snapshots: readonly SnapshotInfo[],
  tensors: readonly string[],
  output: Output,
): AsyncGenerator<{ snapshot: SnapshotInfo; weights: Map<string, Tensor> }> {
  const wanted = new Set(tensors);
  const progress = output.progress('Reading snapshots');
  try {
    for (const [i, snapshot] of snapshots.entries()) {
      checkCancelled(output, 'reading snapshots was cancelled');
      const weights = await run.weights(snapshot.id);
      for (const name of [...weights.keys()]) if (!wanted.has(name)) weights.delete(name);
      yield { snapshot, weights };
      progress.update(i + 1, snapshots.length, snapshot.id);
    }
  } finally {
    progress.stop();
  }
}
