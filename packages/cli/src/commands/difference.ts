import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import {
  type DifferenceMapResult,
  type DifferenceResult,
  differenceMapOfRun,
  differenceOfFiles,
  differenceOfRun,
  differenceOfRuns,
} from '@epochscope/analysis';
import { TENDENCY_METRICS, type TendencyMetric } from '@epochscope/analysis/methods';
import { differenceSentence, longestBars, witnessSentence } from '@epochscope/analysis/results';
import { DIFFERENCE_DEFAULTS } from '@epochscope/analysis/workflows';
import { EpochscopeError, type Metric } from '@epochscope/core-wasm';
import type { Command } from 'commander';
import { analyse, analyseFrom, analyseRun, openTold, talkOfFiles } from '../analyse.js';
import { refuseOther } from '../files.js';
import { findFile, labelsPlace, nameOf, rowsPlace } from '../matrix-file.js';
import type { Output } from '../output.js';
import { differenceMapPictures, differencePictures } from '../pictures/difference.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { refuseGiven, usage } from '../usage.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, oneOf, table, whole } from './_shared.js';
import { flagsOfTable, type TableFlags, tableOf, tableOptions } from './_table.js';

const WITNESSES = 3;

export function define(command: Command): Command {
  command
    .argument('<run-or-file>', 'run directory, or a file of points or dissimilarities (rows are samples)')
    .argument('[other]', 'another run or file of the same samples (default: the same run, --from and --to)')
    .option(
      '--from <snapshot>',
      'of the first picture: id, epoch, "first", "last" or "init" (default: first; with two runs: last)',
    )
    .option('--to <snapshot>', `of the second (default: ${DIFFERENCE_DEFAULTS.to})`)
    .option('--layer <name>', 'of the first picture; "P1@3" is channel 3 of P1 (default: the last layer)')
    .option('--to-layer <name>', 'of the second (default: the same)')
    .option(
      '--metric <name>',
      TENDENCY_METRICS.join(', '),
      oneOf(TENDENCY_METRICS),
      DIFFERENCE_DEFAULTS.metric,
    )
    .option('--map', 'of one run: the distance of every two pictures of --layers at --snapshots')
    .option('--layers <names>', 'of a map (default: the last)', names)
    .option('--snapshots <which>', 'of a map: ids, epochs, "first", "last", "init" (default: all)', names)
    .option('--samples <n>', 'only the first N samples', whole(1))
    .option(
      '--labels <file>',
      'for files: one label a row (integers, −1 for none, or names), or column:NAME',
    );
  tableOptions(command)
    .option(
      '--seed <n>',
      'draws the samples that scales and CKA are taken over, where they are many',
      whole(0),
      DIFFERENCE_DEFAULTS.seed,
    )
    .option('--force', 'for files: replace the result of another input too')
    .option('--name <name>', 'name of this result', DIFFERENCE_DEFAULTS.name)
    .option('-o, --output <dir>', 'where to write (default: the first run; of files: a folder here)');
  return pictureOptions(command, 'the longest bars of both').addHelpText(
    'after',
    '\nExamples:\n  epochscope difference my-run --layer R4 --from 1 --to 10 --png\n  epochscope difference run-a run-b --layer R4\n  epochscope difference my-run --map --layers P1,R3,R4 --png\n  epochscope difference before.npy after.npy --labels labels.npy',
  );
}

interface Options extends CommonOptions, TableFlags, Partial<PictureOptions> {
  from?: string;
  to?: string;
  layer?: string;
  toLayer?: string;
  map?: boolean;
  layers?: string[];
  snapshots?: string[];
  metric: TendencyMetric;
  samples?: number;
  labels?: string;
  force?: boolean;
  seed: number;
}

export async function run([first, second]: string[], o: Options, output: Output): Promise<void> {
  if (o.map) return mapOf(first!, second, o, output);
  refuseGiven({ '--layers': o.layers, '--snapshots': o.snapshots }, 'only with --map');
  const { result, folder } = (await findFile(first!))
    ? await ofFiles(first!, second, o, output)
    : await ofRuns(first!, second, o, output);
  const pictures = await writePictures(folder, differencePictures(result), picturesOf(o), output);
  const witnesses = ([1, 0] as const)
    .flatMap((side) => longestBars(result, side, WITNESSES))
    .map((witness) => witnessSentence(result, witness, result.samples));
  output.result(
    [differenceSentence(result), ...witnesses.map((words) => `- ${words}`), `written to ${folder}`].join(
      '\n',
    ),
    {
      folder,
      pictures,
      distance: result.distance,
      oneWay: result.oneWay,
      cka: result.cka,
      witnesses,
    },
  );
}

async function mapOf(first: string, second: string | undefined, o: Options, output: Output): Promise<void> {
  refuseGiven(
    {
      'a second run or file': second,
      '--from': o.from,
      '--to': o.to,
      '--layer': o.layer,
      '--to-layer': o.toLayer,
      '--labels': o.labels,
      ...flagsOfTable(o),
    },
    'not with --map, which takes one run, --layers and --snapshots',
  );
  if (await findFile(first)) throw usage(`--map: only for runs; ${first} is a matrix`);
  const { layers, snapshots, samples, seed, name } = o;
  const { result, folder } = await analyseRun('difference-map', first, o, output, (run, how) =>
    differenceMapOfRun(run, { layers, snapshots, samples, seed, name, metric: o.metric as Metric }, how),
  );
  const pictures = await writePictures(folder, differenceMapPictures(result), picturesOf(o), output);
  output.result([mapText(result), `written to ${folder}`].join('\n'), {
    folder,
    pictures,
    places: result.pictures.map(({ snapshot, layer }) => ({ snapshot: snapshot.id, layer })),
    distances: [...result.distances],
    undefined: result.undefinedPictures,
  });
}

/** The steps from each picture to the next of its layer, which a terminal has room for. */
function mapText({ pictures, distances, undefinedPictures }: DifferenceMapResult): string {
  const m = pictures.length;
  const rows = pictures.flatMap(({ layer, snapshot }, i): (string | number)[][] =>
    pictures[i + 1]?.layer === layer
      ? [[layer, snapshot.id, pictures[i + 1]!.snapshot.id, distances[i * m + i + 1]!.toPrecision(3)]]
      : [],
  );
  return [
    `distances of ${m} pictures, each to each`,
    ...(rows.length ? [table([['layer', 'from', 'to', 'distance'], ...rows])] : []),
    ...undefinedPictures.map(({ snapshot, layer, reason }) => `– ${layer} at ${snapshot.id}: ${reason}`),
  ].join('\n');
}

async function ofRuns(first: string, second: string | undefined, o: Options, output: Output) {
  refuseGiven({ '--labels': o.labels, ...flagsOfTable(o) }, `only for files; ${first} is a run`);
  const { from, to, layer, toLayer, samples, seed, name } = o;
  const options = { from, to, layer, toLayer, samples, seed, name, metric: o.metric as Metric };
  const run = await openTold(first, output);
  const other =
    second === undefined || resolve(second) === resolve(first) ? null : await openTold(second, output);
  return analyse('difference', { run, directory: first }, o, output, (_, how) =>
    other ? differenceOfRuns([run, other], options, how) : differenceOfRun(run, options, how),
  );
}

async function ofFiles(
  first: string,
  second: string | undefined,
  o: Options,
  output: Output,
): Promise<{ result: DifferenceResult; folder: string }> {
  if (second !== undefined && !existsSync(second) && !(await findFile(second)))
    throw new EpochscopeError('missing', `${second} does not exist`, { path: second });
  if (second === undefined || !(await findFile(second)))
    throw usage(
      second === undefined
        ? `${first} is one matrix: name a second one of the same samples`
        : `${first} is a matrix and ${second} is not: name two matrices or two runs`,
    );
  refuseGiven(
    { '--from': o.from, '--to': o.to, '--layer': o.layer, '--to-layer': o.toLayer },
    `only for runs; ${first} is a matrix`,
  );
  const stem = (path: string) =>
    basename(path)
      .replace(/\.[a-z]+(?=:|$)/i, '')
      .replaceAll(':', '-');
  const folder = o.output ?? `${stem(first)}-${stem(second)}-difference`;
  return analyseFrom(folder, output, async (how) => {
    const names = [nameOf(first), nameOf(second)];
    await refuseOther(folder, names.join(' and '), o.force);
    const { metric, samples, seed, name } = o;
    return differenceOfFiles(
      [await rowsPlace(first), await rowsPlace(second)],
      { metric, samples, seed, name, ...tableOf(o), labels: await labelsPlace(o.labels) },
      talkOfFiles(how, output, ...names),
    );
  });
}
