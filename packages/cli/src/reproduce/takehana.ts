import { join } from 'node:path';
import type { PruneResult, PruneRunOptions, Ranking } from '@epochscope/analysis';
import type { Dataset } from '@epochscope/analysis/models';
import { compareRankings, prunedRun } from '@epochscope/analysis/workflows';
import { EsWeightPictures } from '@epochscope/ui';
import { roundSnapshot, weightExtent } from '@epochscope/ui/drawing';
import { openTold } from '../analyse.js';
import { pruneTalk } from '../commands/prune.js';
import { makeFolder } from '../files.js';
import type { Output } from '../output.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { prunePictures } from '../pictures/prune.js';
import { trainTold } from '../train.js';
import { experimentData } from './data.js';
import { claimsOf, type Pruned, paperRound, percent, settingsRemark } from './takehana-claims.js';
import { remarksOf } from './takehana-rankings.js';
import { earlierTraining } from './trained.js';
import type { Experiment, ExperimentOptions } from './types.js';

const RANKINGS: readonly Ranking[] = ['network', 'unit', 'loss'];
/** Accuracy the paper gave up: 94.5 % → 94.1 %. */
const PAPER_LOSS = 0.004;
/** Of the unit of figure 5. */
const PAPER_REMOVED = 0.35;

export const experiment: Experiment = {
  describe:
    'Takehana & Ozaki, pruning by connected regions: 784-100-50-10 on MNIST, 8 and 4 neighbours, three rankings at equal accuracy',
  paper:
    'Takehana & Ozaki, Study of parameter reduction and visualizing an interpretability for neural networks',
  about: [
    'Ours, where the paper is open: logistic units (they give its 94.5 % after 15 epochs, ReLU 97.8 %), Glorot weights, one epoch of retraining a round, ten rounds of which the one nearest to the paper’s 54 % of units over 90 % stands for its result. Eight neighbours make a region; four stand beside it. The paper removes 0.5 by magnitude in §4.1 and “4 to 5 tenths” in §3.2: 0.5 is the setting, 0.4 stands beside it, and that 0.4 meets the paper’s shares was found afterwards.',
    'With 0.5 removed by magnitude from units alike, hardly a unit can lose under 40 % of all its weights: shares are given of all weights, and of those that the magnitude step left.',
    'The paper’s figure 2 is a flow chart and is not drawn.',
  ],
  async run(options, output) {
    const data = await experimentData('mnist', options, [28, 28, 1], output);
    // Few samples need more steps an epoch to get anywhere.
    const epochs = options.epochs ?? (options.quick ? 10 : 15);
    const batchSize = options.quick ? 20 : 100;
    const rounds = options.quick ? 5 : 10;
    await makeFolder(options.output);
    const run = join(options.output, 'run');
    await trained(run, data, epochs, batchSize, options, output);

    const shared: Partial<PruneRunOptions> = {
      magnitude: 0.5,
      regions: 0.4,
      rounds,
      neighbours: 8,
      retraining: { epochs: 1 },
    };
    const { stop, ...told } = pruneTalk(output);
    const how = {
      ...told,
      dataset: async () => data,
      overwrite: options.overwrite,
      resume: options.overwrite ? false : ('if-there' as const),
    };
    const opened = await openTold(run, output);
    const place = join(options.output, 'pruned');
    const pruned = async (name: string, own: Partial<PruneRunOptions>) => {
      output.say(`Pruned ${name}`);
      return prunedRun(opened, { ...shared, ...own }, join(place, name), how).finally(stop);
    };
    // None ends early: the paper's round may lie beyond the fall in accuracy at which they are compared.
    const { comparison, results } = await compareRankings(
      opened,
      RANKINGS,
      PAPER_LOSS,
      { ...shared, stopAfterLoss: 1 },
      place,
      how,
    ).finally(stop);
    const main = results[0]!;
    const less = await pruned('8-neighbours-0.4', { magnitude: 0.4 });
    const four = await pruned('4-neighbours', { neighbours: 4 });
    const control = await pruned('control', { magnitude: 0, regions: 0 });
    const found: Pruned = { main, less, four, unit: results[1]!, control };
    const figures = await drawn(options.output, 'pruned/network', main, output);
    return {
      parameters: {
        data: `${data.name} (${data.train.count} training, ${data.test.count} test samples)`,
        net: '784-100-50-10, logistic units',
        epochs,
        batch: batchSize,
        optimizer: 'sgd 0.1',
        magnitude: '0.5 (and 0.4)',
        regions: 0.4,
        neighbours: '8 (and 4)',
        rounds,
        'epochs of retraining': 1,
      },
      claims: claimsOf(found),
      remarks: [settingsRemark(found), ...remarksOf(comparison, results, control, data.test.count)],
      figures,
    };
  },
};

/** Pictures of the rounds that stand for the paper's, and its figures in their order. */
async function drawn(folder: string, place: string, result: PruneResult, output: Output) {
  const round = paperRound(result.rounds);
  const results = `${place}/results/prune/default`;
  // The paper's colours: positive red, negative blue.
  const pictures = prunePictures(result, { palette: 'red-blue', only: [0, round.round] });
  const shares = [...round.removed.perUnit];
  const nearest = Math.min(...shares.map((share) => Math.abs(share - PAPER_REMOVED)));
  const unit = shares.findIndex((share) => Math.abs(share - PAPER_REMOVED) === nearest);
  const { layout, weightsBefore } = result;
  const { weights, mask } = round;
  pictures.push({
    name: 'unit-enlarged',
    figure: Object.assign(new EsWeightPictures(), {
      data: { layout, weights, mask },
      result,
      palette: 'red-blue' as const,
      extent: weightExtent(weightsBefore),
      units: [unit],
      largest: 480,
    }),
  });
  await writePictures(join(folder, results), pictures, PNG_AND_SVG, output);
  const file = (name: string) => `${results}/${name}.png`;
  const at = roundSnapshot(round.round);
  return [
    {
      title: 'Figure 1: weights that join the input to hidden units',
      caption:
        'All 100 units before anything is removed (the paper shows two): positive red, negative blue, brighter the larger; each picture is the 28 × 28 input.',
      files: [file('weights-before')],
      claims: ['accuracy-before'],
    },
    {
      title: 'Figure 3: weights after the magnitude step',
      caption: 'Half of all weights removed by magnitude: black.',
      files: [file('weights-magnitude')],
      claims: [],
    },
    {
      title: 'Figure 4: the regions they form',
      caption: 'White: weights that remain, whose connected regions are ranked; black: removed.',
      files: [file('regions-magnitude')],
      claims: [],
    },
    {
      title: 'Figure 5: a unit with about 35 % removed',
      caption: `Unit ${unit}, the one nearest to the paper’s 35 %: ${percent(shares[unit]!)} of all its weights removed at round ${round.round}.`,
      files: [file('unit-enlarged')],
      claims: ['region-fills-unit'],
    },
    {
      title: '§4.2: how much each unit lost',
      caption: `All units at round ${round.round}, and the share of weights each has lost; accuracy over the rounds.`,
      files: [file(`weights-${at}`), file(`removed-${at}`), file('rounds')],
      claims: [
        'accuracy-kept',
        'units-split',
        'units-split-left',
        'units-split-less',
        'two-groups',
        'ranking-causes-split',
      ],
    },
  ];
}

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
