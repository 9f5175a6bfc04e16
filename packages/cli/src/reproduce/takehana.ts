import { join } from 'node:path';
import type { PruneRunOptions, Ranking } from '@epochscope/analysis';
import type { Dataset } from '@epochscope/analysis/models';
import { compareRankings, prunedRun } from '@epochscope/analysis/workflows';
import { openTold } from '../analyse.js';
import { pruneTalk } from '../commands/prune.js';
import { makeFolder } from '../files.js';
import type { Output } from '../output.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { prunePictures } from '../pictures/prune.js';
import { comparisonText } from '../prune/text.js';
import { trainTold } from '../train.js';
import { type ClaimsReport, claimsText, writeClaims } from './claims.js';
import { experimentData } from './data.js';
import { claimsOf, paperRound } from './takehana-claims.js';
import { remarksOf } from './takehana-rankings.js';
import { earlierTraining } from './trained.js';
import type { Experiment, ExperimentOptions } from './types.js';

const RANKINGS: readonly Ranking[] = ['network', 'unit', 'loss'];
/** Accuracy the paper gave up: 94.5 % → 94.1 %. */
const PAPER_LOSS = 0.004;

export const experiment: Experiment = {
  describe:
    'Takehana & Ozaki, pruning by connected regions: 784-100-50-10 on MNIST, three rankings at equal accuracy',
  async run(options, output) {
    const begun = performance.now();
    const data = await experimentData('mnist', options, [28, 28, 1], output);
    // Few samples need more steps an epoch to get anywhere.
    const epochs = options.epochs ?? (options.quick ? 10 : 15);
    const batchSize = options.quick ? 20 : 100;
    // Each ranking ends when it has lost the accuracy that the paper gave up.
    const rounds = options.quick ? 5 : 16;
    const retraining = options.quick ? 1 : 3;
    await makeFolder(options.output);
    const run = join(options.output, 'run');
    await trained(run, data, epochs, batchSize, options, output);

    const shared: Partial<PruneRunOptions> = {
      magnitude: 0.5,
      regions: 0.4,
      rounds,
      neighbours: 4,
      retraining: { epochs: retraining },
    };
    const place = join(options.output, 'pruned');
    const { stop, ...told } = pruneTalk(output);
    const how = {
      ...told,
      dataset: async () => data,
      overwrite: options.overwrite,
      resume: options.overwrite ? false : ('if-there' as const),
    };
    const opened = await openTold(run, output);
    const { comparison, results } = await compareRankings(
      opened,
      RANKINGS,
      PAPER_LOSS,
      shared,
      place,
      how,
    ).finally(stop);
    output.say('Control: the same training with nothing removed');
    const control = await prunedRun(
      opened,
      { ...shared, magnitude: 0, regions: 0, rounds: results[0]!.rounds.length - 1 },
      join(place, 'control'),
      how,
    ).finally(stop);
    for (const [i, result] of results.entries()) {
      const only = [1, paperRound(result.rounds).round];
      const folder = join(place, RANKINGS[i]!, 'results', 'prune', 'default');
      // The paper's colours: positive red, negative blue.
      await writePictures(folder, prunePictures(result, { palette: 'red-blue', only }), PNG_AND_SVG, output);
    }

    const report: ClaimsReport = {
      experiment: 'takehana',
      paper:
        'Takehana & Ozaki, Study of parameter reduction and visualizing an interpretability for neural networks',
      quick: options.quick,
      parameters: {
        data: `${data.name} (${data.train.count} training, ${data.test.count} test samples)`,
        net: '784-100-50-10, logistic units',
        epochs,
        batch: batchSize,
        optimizer: 'sgd 0.1',
        magnitude: 0.5,
        regions: 0.4,
        neighbours: 4,
        rounds,
        'epochs of retraining': retraining,
        seed: options.seed,
      },
      seconds: (performance.now() - begun) / 1000,
      claims: claimsOf(results, control),
      remarks: remarksOf(comparison, results, control, data.test.count),
    };
    await writeClaims(options.output, report);
    output.result(
      `${claimsText(report)}\n\n${comparisonText(comparison)}\n\nwritten to ${options.output}: claims.md, claims.json, run, pruned`,
      { folder: options.output, claims: report.claims, comparison },
    );
  },
};

/** Trains the net, or takes the one that an earlier, cut-off reproduction with the same options left. */
async function trained(
  directory: string,
  data: Dataset,
  epochs: number,
  batchSize: number,
  options: ExperimentOptions,
  output: Output,
): Promise<void> {
  const earlier = await earlierTraining(
    directory,
    Boolean(options.overwrite),
    ({ training }) =>
      training?.data === `${data.name} (${data.source})` &&
      training.epochs === epochs &&
      training.batchSize === batchSize &&
      training.seed === options.seed,
    output,
  );
  if (earlier === 'complete') return;
  await trainTold(
    directory,
    data,
    {
      model: { name: 'mlp', hidden: [100, 50], activation: 'sigmoid', seed: options.seed },
      epochs,
      batchSize,
      optimizer: 'sgd',
      learningRate: 0.1,
      noise: 0,
      seed: options.seed,
      snapshots: { init: true, epochs: [...new Set([1, 5, epochs])].filter((epoch) => epoch <= epochs) },
      samples: 1000,
    },
    earlier === 'cut',
    output,
  );
}
