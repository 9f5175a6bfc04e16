import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { activityOfRun, geometryOfRun, modulesOfRun, tendencyOfRun } from '@epochscope/analysis';
import { type Dataset, openDataset } from '@epochscope/analysis/models';
import { prunedRun } from '@epochscope/analysis/workflows';
import type { Command } from 'commander';
import { analyseRun, openTold, talk } from '../analyse.js';
import { writeResultTo } from '../files.js';
import type { Output } from '../output.js';
import { writeReport } from '../report/page.js';
import { trainTold } from '../train.js';
import { table } from './_shared.js';
import { changeAndTracks } from './change.js';

const EPOCHS = 10;
const name = 'default';
const seed = 1;

export function define(command: Command): Command {
  return command
    .option(
      '-o, --output <dir>',
      'run directory to write; an older demo there is replaced',
      'epochscope-demo',
    )
    .addHelpText('after', '\nExample:\n  epochscope demo -o /tmp/demo');
}

export async function run(_: string[], o: { output: string }, output: Output): Promise<void> {
  const begun = performance.now();
  const data = await openDataset('bundled');
  output.say(`LeNet-5 on ${data.train.count} of the bundled MNIST digits, ${EPOCHS} epochs`);
  const trained = await trainTold(
    o.output,
    data,
    {
      model: { name: 'lenet5', seed },
      epochs: EPOCHS,
      batchSize: 50,
      noise: 0.3,
      seed,
      snapshots: { init: true, epochs: [1, 2, 5, 10] },
    },
    true,
    output,
  );
  const { result: tendency } = await analyseRun('tendency', o.output, { name }, output, (run, how) =>
    tendencyOfRun(run, { layers: ['P1', 'R3', 'R4', 'S5'], seed }, how),
  );
  const { result: modules } = await analyseRun('modules', o.output, { name }, output, (run, how) =>
    modulesOfRun(run, { snapshots: [1, 2, 5, 10], sweep: null, seed }, { ...how, dataset: async () => data }),
  );
  const { result: change } = await changeAndTracks(
    o.output,
    { from: 'init', to: '10', tracks: ['all'], paths: { rule: 'largest', k: 8 }, name },
    output,
  );
  await analyseRun('activity', o.output, { name }, output, (run, how) =>
    activityOfRun(run, { snapshots: [1, 10] }, how),
  );
  const { result: geometry } = await analyseRun('geometry', o.output, { name }, output, (run, how) =>
    geometryOfRun(run, { snapshots: ['init', 1, 10], inputs: 10, k: 60, pictureInputs: 3, seed }, how),
  );
  const pruned = await pruneMlp(o.output, data, output);

  const page = join(o.output, 'report.html');
  await writeReport(o.output, page);
  const figure = (value: number | null | undefined, digits = 2) => value?.toFixed(digits) ?? '–';
  const last = geometry.spectra.filter((s) => s.snapshot.id === 'epoch-0010');
  output.say(
    table([
      ['S5, the last layer', 'dark blocks', 'in none', 'ARI in blocks'],
      ...tendency.panels
        .filter((p) => p.layer === 'S5')
        .map((p) => [
          `  ${p.snapshot.id}`,
          p.blocks.count,
          `${Math.round(100 * p.blocks.shareInNone)} %`,
          figure(p.scores.inBlocks.ari.value),
        ]),
    ]),
  );
  output.say(
    [
      `modules at θ 0.83: ${modules.snapshots.map((s) => `${s.clusters.length} (${s.snapshot.id})`).join(', ')}`,
      `change ${change.from.id} → ${change.to.id}: Pearson r of value and change ${change.layers.map((l) => `${l.layer} ${figure(l.statistics.pearson.value)}`).join(', ')}`,
      `singular values ≥ 1 by depth: ${last.map((s) => `${s.to} ${figure(s.dimensions.atLeastOne.mean, 1)}`).join(', ')}`,
      `pruning: ${pruned}`,
    ].join('\n'),
  );
  output.result(
    `Run:  ${resolve(o.output)}\nPage: ${pathToFileURL(page).href}\n(${((performance.now() - begun) / 1000).toFixed(0)} s; training ${Math.round(trained.imagesPerSecond)} images/s)`,
    {
      run: resolve(o.output),
      page: resolve(page),
      imagesPerSecond: trained.imagesPerSecond,
      testAccuracy: trained.testAccuracy,
      snapshots: trained.snapshots,
    },
  );
}

/** The paper prunes a net of dense layers: a small one, trained beside; its result is shown on the run's page too. */
async function pruneMlp(directory: string, data: Dataset, output: Output): Promise<string> {
  const mlp = join(directory, 'mlp');
  output.say('A net of dense layers, 784-100-50-10, for pruning');
  await trainTold(
    mlp,
    data,
    {
      model: { name: 'mlp', seed, hidden: [100, 50] },
      epochs: 15,
      optimizer: 'sgd',
      learningRate: 0.1,
      noise: 0,
      seed,
      snapshots: { init: true, epochs: [15] },
    },
    true,
    output,
  );
  const { stop, ...how } = talk(output);
  const result = await prunedRun(
    await openTold(mlp, output),
    { retraining: { epochs: 3 }, name: 'mlp' },
    join(directory, 'mlp-pruned'),
    { ...how, overwrite: true, dataset: async () => data },
  ).finally(stop);
  await writeResultTo(join(directory, 'results', 'prune', 'mlp'), result);
  const end = result.rounds.at(-1)!;
  const percent = (share: number | null) => (share === null ? '–' : `${(100 * share).toFixed(1)} %`);
  return `${percent(end.removed.overall)} of the weights of ${result.layout.layer} removed, test accuracy ${percent(result.accuracyBefore.value)} before, ${percent(end.accuracyAfterRetraining.value)} after`;
}
