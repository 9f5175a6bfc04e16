import type { PruneRound, Ranking } from '@epochscope/analysis';
import { type Command, InvalidArgumentError } from 'commander';
import type { Output } from '../output.js';
import { writePictures } from '../pictures/index.js';
import { prunePictures } from '../pictures/prune.js';
import { compareRankings, comparisonText } from '../prune/compare.js';
import { pruneOfRun } from '../prune-run.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { names, number, oneOf, rate, table, whole } from './_shared.js';

const RANKINGS: Record<string, Ranking> = { net: 'network', network: 'network', unit: 'unit', loss: 'loss' };

function rankings(text: string): Ranking[] {
  const list = names(text).map((name) => RANKINGS[name]);
  if (list.some((one) => one === undefined))
    throw new InvalidArgumentError('expected net, unit or loss, or several separated by commas.');
  if (new Set(list).size < list.length) throw new InvalidArgumentError('expected each ranking once.');
  return list as Ranking[];
}

export function define(command: Command): Command {
  command
    .description('Remove small weights, then connected regions of weights, and retrain; writes a run')
    .argument('<run>', 'run directory')
    .option('-o, --output <dir>', 'run directory to write (default: RUN-pruned)')
    .option('--layer <name>', 'dense layer over pictures or maps, or convolution (default: the first dense)')
    .option('--snapshot <which>', 'snapshot to prune: id, epoch, "first", "last" or "init"', 'last')
    .option('--magnitude <rate>', 'share of weights removed first, smallest first', rate, 0.5)
    .option('--regions <rate>', 'share of regions removed in each round, lowest mean |w| first', rate, 0.4)
    .option('--rounds <n>', 'times that regions are removed and the net retrained', whole(0), 3)
    .option('--neighbours <n>', '4 or 8 neighbours make a region', oneOf(['4', '8'] as const), '4')
    .option(
      '--ranking <which>',
      'regions compete in the whole net, within each unit, or by effect on the loss: net, unit or loss; several ("net,unit,loss") are compared at equal accuracy',
      rankings,
      ['network'],
    )
    .option(
      '--rate-of <what>',
      'the regions rate counts regions or their weight: count, mass',
      oneOf(['count', 'mass'] as const),
      'count',
    )
    .option(
      '--tolerance <points>',
      'accuracy given up where rankings are compared, 0 … 1; each ends beyond it',
      rate,
      0.004,
    )
    .option(
      '--stop-after-loss <points>',
      'end when accuracy after retraining has fallen by more than this, 0 … 1',
      rate,
    )
    .option('--epochs <n>', 'passes over the training samples in each round, 0 for none', whole(0), 5)
    .option('--data <where>', "training data, as in train (default: the run's own)")
    .option('--batch <n>', "samples a step (default: the run's own)", whole(1))
    .option(
      '--optimizer <name>',
      "adam, sgd or momentum (default: the run's own)",
      oneOf(['adam', 'sgd', 'momentum'] as const),
    )
    .option('--lr <rate>', "learning rate (default: the run's own)", number(0))
    .option('--noise <sd>', "noise on training inputs (default: the run's own)", number(0))
    .option('--seed <n>', "order of samples, noise (default: the run's own)", whole(0))
    .option('--name <name>', 'name of this result', 'default')
    .option(
      '--palette <name>',
      'of the pictures: sign (− brown, + teal), or red-blue as in the paper',
      oneOf(['sign', 'red-blue'] as const),
      'sign',
    )
    .option('--overwrite', 'replace an existing run')
    .option('--resume', 'go on with a run that was cut off');
  return pictureOptions(command, 'weights and regions of each round, and accuracy over rounds,').addHelpText(
    'after',
    `
Examples:
  epochscope prune my-run --magnitude 0.5 --regions 0.4 --rounds 3
  epochscope prune my-run --ranking net,unit,loss --rounds 8 -o compared`,
  );
}

export async function run([directory]: string[], o: Record<string, never>, output: Output): Promise<void> {
  const list = o.ranking as Ranking[];
  const options = {
    output: (o.output as string | undefined) ?? `${directory!.replace(/[/\\]+$/, '')}-pruned`,
    overwrite: Boolean(o.overwrite),
    resume: Boolean(o.resume),
    snapshot: o.snapshot as string,
    layer: o.layer as string | undefined,
    prune: {
      magnitude: o.magnitude as number,
      regions: o.regions as number,
      rounds: o.rounds as number,
      neighbours: Number(o.neighbours) as 4 | 8,
      ranking: list[0]!,
      rateOf: o.rateOf as 'count',
    },
    retraining: {
      epochs: o.epochs as number,
      batchSize: o.batch as number | undefined,
      optimizer: o.optimizer as 'sgd' | undefined,
      learningRate: o.lr as number | undefined,
      noise: o.noise as number | undefined,
      seed: o.seed as number | undefined,
    },
    data: o.data as string | undefined,
    stopAfterLoss: o.stopAfterLoss as number | undefined,
    name: o.name as string,
  };
  if (list.length > 1) {
    const { comparison, runs } = await compareRankings(directory!, list, o.tolerance, options, output);
    for (const one of runs)
      await writePictures(
        one.folder,
        prunePictures(one.result, { palette: o.palette }),
        picturesOf(o),
        output,
      );
    output.result(`${comparisonText(comparison)}\nwritten to ${options.output}`, {
      output: options.output,
      ...comparison,
    });
    return;
  }
  const { result, folder } = await pruneOfRun(directory!, options, output);
  await writePictures(folder, prunePictures(result, { palette: o.palette }), picturesOf(o), output);
  output.result(`${roundsTable(result.accuracyBefore.value, result.rounds)}\nwritten to ${options.output}`, {
    run: options.output,
    folder,
    layer: result.layout.layer,
    accuracyBefore: result.accuracyBefore,
    rounds: result.rounds.map(({ mask: _mask, weights: _weights, removed, ...round }) => ({
      ...round,
      removed: { ...removed, perUnit: [...removed.perUnit] },
    })),
  });
}

const percent = (value: number | null, digits = 1) =>
  value === null ? '–' : `${(100 * value).toFixed(digits)} %`;

function roundsTable(before: number | null, rounds: readonly PruneRound[]): string {
  return table([
    ['', 'regions removed', 'weights removed', 'units > 90 %', '< 40 %', 'emptied', 'accuracy', 'retrained'],
    ['before', '–', '–', '–', '–', '–', percent(before, 2), '–'],
    ...rounds.map(({ round, regions, removed, accuracyAfterRemoval, accuracyAfterRetraining }) => [
      round === 0 ? 'magnitude' : `round ${round}`,
      regions ? `${regions.removed} of ${regions.before}` : '–',
      percent(removed.overall),
      percent(removed.over90),
      percent(removed.under40),
      percent(removed.emptied),
      percent(accuracyAfterRemoval.value, 2),
      percent(accuracyAfterRetraining.value, 2),
    ]),
  ]);
}
