import { basename } from 'node:path';
import {
  analyseModules,
  createEngine,
  linkModules,
  type ModuleSnapshot,
  type ModulesResult,
  RESULT_FORMAT,
  toolInfo,
  unitLayers,
  unitTotal,
} from '@epochscope/analysis';
import { formatBytes, guard } from '@epochscope/core-wasm';
import { linkageFromPointsBytes } from '@epochscope/core-wasm/jobs';
import { blocksOf } from './modules/blocks.js';
import type { ModulesRunOptions } from './modules/options.js';
import { samplesOf, type Wanted } from './modules/samples.js';
import { hiddenLayers, notDrawn } from './modules/units.js';
import { chooseSnapshots, openFor } from './open-run.js';
import type { Output } from './output.js';
import { writeWhole } from './result-folder.js';
import { weightHashes } from './run-inputs.js';

export type { ModulesRunOptions } from './modules/options.js';

/** Modules of a run's snapshots, their transitions, and the result written into it (or `output`). */
export async function modulesOfRun(
  directory: string,
  options: ModulesRunOptions,
  output: Output,
): Promise<{ result: ModulesResult; folder: string }> {
  const { run, folder } = await openFor('modules', directory, options, output);
  const snapshots = chooseSnapshots(run, options.snapshots);
  const last = run.manifest.layers.at(-1);
  guard(last, 'missing', () => `${directory} names no layer`, { path: directory });
  const layers = unitLayers(
    hiddenLayers(run, options.layers).map((name) => run.layer(name)),
    options.units,
  );
  const total = unitTotal(layers);
  const { maxUnits, seed } = options;
  const without = maxUnits !== undefined && total > maxUnits ? notDrawn(total, maxUnits, seed) : undefined;
  const wanted: Wanted = {
    snapshots: snapshots.map(({ id }) => id),
    layers: [...layers.map(({ name }) => name), last.name],
  };
  const samples = await samplesOf(run, wanted, options, output);
  const dimensions = samples.inputs + samples.outputs;
  output.say(
    `${total} units (${layers.map(({ name, count }) => `${name} ${count}`).join(', ')}) × ${dimensions} dimensions, ${samples.indices.length} samples of ${samples.source}; clustering needs up to ${formatBytes(linkageFromPointsBytes(Math.min(total, maxUnits ?? total), dimensions, true))}`,
  );
  const begun = performance.now();
  const engine = createEngine();
  const analysed: ModuleSnapshot[] = [];
  const progress = output.progress('Modules');
  try {
    for (const [i, { id, epoch, step }] of snapshots.entries()) {
      analysed.push(
        await analyseModules(
          engine,
          {
            snapshot: { id, epoch, step },
            source: blocksOf(samples, id, layers, options, last.kind === 'log-softmax'),
            inputs: samples.inputs,
            ...(without ? { without } : {}),
          },
          {
            theta: options.theta,
            cut: options.cut,
            sweep: options.sweep,
            seed,
            signal: output.signal,
            onProgress: (done) => progress.update(i + done, snapshots.length, id),
          },
        ),
      );
    }
  } finally {
    progress.stop();
    await engine.close();
  }
  const transitions = linkModules(analysed);
  const result: ModulesResult = {
    format: RESULT_FORMAT,
    method: 'modules',
    name: options.name,
    tool: toolInfo,
    input: {
      source: basename(directory),
      files: await weightHashes(
        run,
        snapshots.map(({ id }) => id),
      ),
    },
    parameters: {
      theta: options.theta,
      cut: options.cut,
      layers: layers.map(({ name }) => name),
      units: options.units,
      outputs: last.kind === 'log-softmax' ? options.outputs : 'layer',
      samples: samples.indices.length,
      samplesOf: samples.source,
      ...(without ? { maxUnits } : {}),
    },
    seeds: { analysis: seed },
    seconds: (performance.now() - begun) / 1000,
    units: { mode: options.units, total, layers },
    inputs: samples.inputs,
    inputShape: run.manifest.inputShape,
    outputs: samples.outputs,
    classes: run.manifest.classes?.length === samples.outputs ? run.manifest.classes : null,
    samples: { count: samples.indices.length, indices: samples.indices },
    snapshots: analysed,
    transitions,
  };
  await writeWhole(folder, result, output);
  return { result, folder };
}
