import { stat } from 'node:fs/promises';
import { METRICS } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { splitArrayPath } from '../matrix-file.js';
import type { Output } from '../output.js';
import { tendencyOfFile, tendencyOfRun } from '../tendency-run.js';
import { markRules } from './_marks.js';
import { names, oneOf, table, whole } from './_shared.js';

export function define(command: Command): Command {
  return command
    .description('Cluster tendency (VAT / iVAT) of layer outputs, or of any matrix')
    .argument(
      '<run-or-file>',
      'run directory, or points (rows are samples) as .npy, .csv, .npz or .safetensors; file.npz:name chooses an array',
    )
    .option('--layers <names>', 'layers; "P1@3" is channel 3 of P1 (default: the last layer)', names)
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['all'])
    .option('--metric <name>', METRICS.join(', '), oneOf(METRICS), 'euclidean')
    .option('--samples <n>', 'only the first n samples', whole(1))
    .option(
      '--marks <rules>',
      'top:K, wrong, correct, loss:K, random:K, index:I;J or none; of classes: wrong@1;2',
    )
    .option('--labels <file>', 'for a file: one label a row, same formats')
    .option('--vat-side <pixels>', 'side of the stored VAT picture, 0 for none', whole(0), 256)
    .option('--seed <n>', 'for stability, sampled pixels and random marks', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)')
    .option('--png', 'also write each iVAT picture as PNG')
    .addHelpText(
      'after',
      '\nExamples:\n  epochscope tendency my-run --layers P1,R3,S5 --snapshots 1,10 --marks top:10\n  epochscope tendency points.npy --labels labels.npy --metric cosine -o result --png',
    );
}

export async function run([target]: string[], o: Record<string, never>, output: Output): Promise<void> {
  const options = {
    layers: o.layers as string[] | undefined,
    snapshots: o.snapshots as string[],
    metric: o.metric,
    samples: o.samples as number | undefined,
    marks: markRules(o.marks as string | undefined, o.seed),
    labels: o.labels as string | undefined,
    vatSide: o.vatSide as number,
    seed: o.seed as number,
    name: o.name as string,
    output: o.output as string | undefined,
    png: Boolean(o.png),
  };
  const isFile = await stat(splitArrayPath(target!).file).then(
    (info) => info.isFile(),
    () => false,
  );
  const { result, folder } = await (isFile ? tendencyOfFile : tendencyOfRun)(target!, options, output);
  const figure = (f: { value: number | null }) => f.value?.toFixed(3) ?? '–';
  const rows = result.panels.map((p) => [
    `${p.snapshot.id} ${p.layer}`,
    `${p.n}×${p.d}`,
    p.blocks.count,
    figure(p.blocks.stability),
    figure(p.scores.ari),
    figure(p.scores.nmi),
    figure(p.scores.purity),
    figure(p.rimScore),
    p.seconds.toFixed(2),
  ]);
  const summary = result.panels.map((p) => ({
    snapshot: p.snapshot.id,
    layer: p.layer,
    n: p.n,
    d: p.d,
    blocks: p.blocks.count,
    stability: p.blocks.stability,
    ...p.scores,
    rimScore: p.rimScore,
    seconds: p.seconds,
  }));
  output.result(
    `${table([['panel', 'n×d', 'blocks', 'stability', 'ARI', 'NMI', 'purity', 'rim', 'seconds'], ...rows])}\nwritten to ${folder}`,
    { folder, panels: summary },
  );
}
