import { join, resolve } from 'node:path';
import type { PruneResult, PruneRound, PruneRunOptions, Ranking } from '@epochscope/analysis';
import type { PruneUnits } from '@epochscope/analysis/methods';
import {
  compareRankings,
  PRUNE_DEFAULTS,
  type PrunedRunOptions,
  prunedRun,
  type Retraining,
} from '@epochscope/analysis/workflows';
import { type Command, InvalidArgumentError } from 'commander';
import { openTold, talk } from '../analyse.js';
import type { Output } from '../output.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { prunePictures } from '../pictures/prune.js';
import { comparisonText, roundLine } from '../prune/text.js';
import { usage } from '../usage.js';
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
    .argument('<run>', 'run directory')
    .option('-o, --output <dir>', 'run directory to write (default: RUN-pruned)')
    .option('--layer <name>', 'dense layer over pictures or maps, or convolution (default: the first dense)')
    .option(
      '--units <what>',
      "what goes at once: region (of a unit's weights), unit (whole units, ranked by the rows that read them) or head (of attention)",
      oneOf(['region', 'unit', 'head'] as const),
      'region',
    )
    .option('--snapshot <which>', 'snapshot to prune: id, epoch, "first", "last" or "init"', 'last')
    .option(
      '--magnitude <rate>',
      `share of weights removed first, smallest first (default: ${PRUNE_DEFAULTS.magnitude}; of units and heads 0)`,
      rate,
    )
    .option(
      '--regions <rate>',
      'share of regions removed in each round, lowest mean |w| first',
      rate,
      PRUNE_DEFAULTS.regions,
    )
    .option(
      '--rounds <n>',
      'times that regions are removed and the net retrained',
      whole(0),
      PRUNE_DEFAULTS.rounds,
    )
    .option('--neighbours <n>', '4 or 8 neighbours make a region', oneOf(['4', '8'] as const), '8')
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
    .option(
      '--resume',
      'go on with a run that was cut off, which must be there (one that is goes on by itself)',
    );
  return pictureOptions(command, 'weights and regions of each round, and accuracy over rounds,').addHelpText(
    'after',
    `
Examples:
  epochscope prune my-run --magnitude 0.5 --regions 0.4 --rounds 3
  epochscope prune my-run --ranking net,unit,loss --rounds 8 -o compared`,
  );
}

interface Options extends Partial<PictureOptions> {
  output?: string;
  layer?: string;
  snapshot: string;
  units: PruneUnits;
  magnitude?: number;
  regions: number;
  rounds: number;
  neighbours: '4' | '8';
  ranking: Ranking[];
  rateOf: PruneRunOptions['rateOf'];
  tolerance: number;
  stopAfterLoss?: number;
  epochs: number;
  data?: string;
  batch?: number;
  optimizer?: Retraining['optimizer'];
  lr?: number;
  noise?: number;
  seed?: number;
  name: string;
  palette: 'sign' | 'red-blue';
  overwrite?: boolean;
  resume?: boolean;
}

/** What pruning tells, on the terminal: a bar, notes, and a line a round. */
export function pruneTalk(output: Output): PrunedRunOptions & { stop(): void } {
  return { ...talk(output), onRound: (round) => output.say(`  ${roundLine(round)}`) };
}

/** Throws `usage` where a run would be written over itself. */
export function checkApart(directory: string, folder: string): void {
  if (resolve(folder) === resolve(directory))
    throw usage(`${directory}: the pruned run needs a folder of its own`);
}

export async function run([directory]: string[], o: Options, output: Output): Promise<void> {
  const folder = o.output ?? `${directory!.replace(/[/\\]+$/, '')}-pruned`;
  const options: Partial<PruneRunOptions> = {
    snapshot: o.snapshot,
    layer: o.layer,
    units: o.units,
    magnitude: o.magnitude,
    regions: o.regions,
    rounds: o.rounds,
    neighbours: Number(o.neighbours) as 4 | 8,
    ranking: o.ranking[0],
    rateOf: o.rateOf,
    retraining: {
      epochs: o.epochs,
      batchSize: o.batch,
      optimizer: o.optimizer,
      learningRate: o.lr,
      noise: o.noise,
      seed: o.seed,
    },
    data: o.data,
    stopAfterLoss: o.stopAfterLoss,
    name: o.name,
  };
  const run = await openTold(directory!, output);
  checkApart(directory!, folder);
  const { stop, ...told } = pruneTalk(output);
  const how = { ...told, overwrite: Boolean(o.overwrite), ...(o.resume ? { resume: true } : {}) };
  const placeOf = (place: string) => join(place, 'results', 'prune', o.name);
  const draw = (place: string, result: PruneResult) =>
    writePictures(placeOf(place), prunePictures(result, { palette: o.palette }), picturesOf(o), output);
  try {
    if (o.ranking.length > 1) {
      const { comparison, results } = await compareRankings(
        run,
        o.ranking,
        o.tolerance,
        options,
        folder,
        how,
      );
      stop();
      for (const [i, result] of results.entries()) await draw(join(folder, o.ranking[i]!), result);
      output.result(`${comparisonText(comparison)}\nwritten to ${folder}`, {
        output: folder,
        ...comparison,
      });
      return;
    }
    const result = await prunedRun(run, options, folder, how);
    stop();
    await draw(folder, result);
    output.result(`${roundsTable(result.accuracyBefore.value, result.rounds)}\nwritten to ${folder}`, {
      run: folder,
      folder: placeOf(folder),
      layer: result.layout.layer,
      accuracyBefore: result.accuracyBefore,
      rounds: result.rounds.map(({ mask: _mask, weights: _weights, removed, ...round }) => ({
        ...round,
        removed: { ...removed, perUnit: [...removed.perUnit] },
      })),
    });
  } finally {
    stop();
  }
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
