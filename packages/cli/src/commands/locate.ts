import { type LocateResult, locateOfRun } from '@epochscope/analysis';
import { readArray } from '@epochscope/analysis/workflows';
import type { Metric } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { analyse, openTold } from '../analyse.js';
import type { Output } from '../output.js';
import { type CommonOptions, names, oneOf, table, whole } from './_shared.js';

const METRICS: readonly Metric[] = ['euclidean', 'cosine', 'manhattan', 'correlation'];

export function define(command: Command): Command {
  return command
    .argument('<run>', 'run directory')
    .argument('<file>', 'an array: one sample of the shape that the net takes, or several of them')
    .option('--layers <names>', '"P1@3" is channel 3 of P1 (default: the last layer)', names)
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['all'])
    .option('--metric <name>', METRICS.join(', '), oneOf(METRICS), 'euclidean')
    .option('--nearest <n>', 'how many of the run’s samples are named', whole(1), 5)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)')
    .addHelpText('after', '\nExample:\n  epochscope locate my-run my-digit.npy --layers F3,S5');
}

interface Options extends CommonOptions {
  layers?: string[];
  snapshots: string[];
  metric: Metric;
  nearest: number;
}

export async function run([directory, file]: string[], o: Options, output: Output): Promise<void> {
  const { layers, snapshots, metric, nearest, name } = o;
  const opened = { run: await openTold(directory!, output), directory: directory! };
  const { data } = await readArray(file!);
  const inputs = Array.from(data as ArrayLike<number | bigint>, Number);
  const { result, folder } = await analyse('locate', opened, o, output, (one, how) =>
    locateOfRun(one, { inputs, layers, snapshots, metric, nearest, name }, how),
  );
  output.result(`${table([HEAD, ...rowsOf(result)])}\nwritten to ${folder}`, {
    folder,
    samples: result.count,
    panels: result.panels.map(({ snapshot, layer, nearest: near, distances, blocks, block }) => ({
      snapshot: snapshot.id,
      layer,
      nearest: [...near],
      distances: [...distances],
      blocks,
      block: [...block].map((one) => (one < 0 ? null : one)),
      read: [...(result.predictions.find((one) => one.snapshot === snapshot.id)?.classes ?? [])],
    })),
  });
}

const HEAD = ['panel', 'sample', 'read as', 'block', 'nearest', 'distance'];
function rowsOf({ panels, predictions, count, k, labels, classes }: LocateResult): (string | number)[][] {
  const word = (label: number | undefined) =>
    label === undefined ? '–' : (classes?.[label] ?? String(label));
  return panels.flatMap(({ snapshot, layer, nearest, distances, blocks, block }) =>
    Array.from({ length: count }, (_, i) => [
      `${snapshot.id} ${layer}`,
      i,
      word(predictions.find((one) => one.snapshot === snapshot.id)?.classes[i]),
      block[i]! < 0 ? 'none' : `${block[i]! + 1} of ${blocks}`,
      Array.from(nearest.subarray(i * k, (i + 1) * k), (j) =>
        labels ? `${j} (${word(labels[j])})` : String(j),
      ).join(', '),
      Number(distances[i * k]!.toPrecision(3)),
    ]),
  );
}
