import { basename } from 'node:path';
import { type PathEnd, type PathResult, pathOfFile, pathOfRun } from '@epochscope/analysis';
import { TENDENCY_METRICS, type TendencyMetric } from '@epochscope/analysis/methods';
import { pathSentence } from '@epochscope/analysis/results';
import { PATH_DEFAULTS } from '@epochscope/analysis/workflows';
import type { Metric } from '@epochscope/core-wasm';
import { type Command, InvalidArgumentError } from 'commander';
import { analyseFrom, analyseRun, talkOfFiles } from '../analyse.js';
import { refuseOther } from '../files.js';
import { findFile, labelsPlace, nameOf, rowsPlace, stampOf } from '../matrix-file.js';
import type { Output } from '../output.js';
import { pathPictures } from '../pictures/difference.js';
import { type PictureOptions, writePictures } from '../pictures/index.js';
import { refuseGiven } from '../usage.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, oneOf, whole } from './_shared.js';
import { flagsOfTable, type TableFlags, tableOf, tableOptions } from './_table.js';

export function define(command: Command): Command {
  command
    .argument('<run-or-file>', 'run directory, or a file of points or dissimilarities (rows are samples)')
    .requiredOption(
      '--between <ends>',
      'two samples "12,80", or the cores of two blocks "block:0,block:1"',
      ends,
    )
    .option('--snapshot <which>', `id, epoch, "first", "last" or "init" (default: ${PATH_DEFAULTS.snapshot})`)
    .option('--layer <name>', '"P1@3" is channel 3 of P1 (default: the last layer)')
    .option(
      '--bridges <n>',
      'take out the samples that hold the two together most, one after the other; a few trees each',
      whole(0, 1000),
      0,
    )
    .option('--metric <name>', TENDENCY_METRICS.join(', '), oneOf(TENDENCY_METRICS), PATH_DEFAULTS.metric)
    .option('--samples <n>', 'only the first N samples', whole(1))
    .option(
      '--labels <file>',
      'for a file: one label a row (integers, −1 for none, or names), or column:NAME',
    );
  tableOptions(command)
    .option('--force', 'for files: replace the result of another input too')
    .option('--name <name>', 'name of this result', PATH_DEFAULTS.name)
    .option('-o, --output <dir>', 'where to write (default: the run itself; of a file: a folder here)');
  return pictureOptions(command, 'the chain as a strip of pictures').addHelpText(
    'after',
    '\nExamples:\n  epochscope path my-run --layer R4 --between 12,80 --bridges 3 --png\n  epochscope path points.npy --between block:0,block:1 --labels labels.npy',
  );
}

/** "12,80", "block:0,block:1". */
function ends(text: string): [PathEnd, PathEnd] {
  const found = text.split(',').map((part): PathEnd => {
    const [, block, sample] = /^(?:block:(\d+)|(\d+))$/.exec(part.trim()) ?? [];
    if (block === undefined && sample === undefined)
      throw new InvalidArgumentError(
        `expected two of SAMPLE or block:N, with a comma, got ${JSON.stringify(text)}.`,
      );
    return block === undefined ? Number(sample) : { block: Number(block) };
  });
  if (found.length !== 2) throw new InvalidArgumentError(`expected two ends, got ${found.length}.`);
  return [found[0]!, found[1]!];
}

interface Options extends CommonOptions, TableFlags, Partial<PictureOptions> {
  between: [PathEnd, PathEnd];
  snapshot?: string;
  layer?: string;
  bridges: number;
  metric: TendencyMetric;
  samples?: number;
  labels?: string;
  force?: boolean;
}

export async function run([target]: string[], o: Options, output: Output): Promise<void> {
  const [from, to] = o.between;
  const { bridges, snapshot, layer, samples, name } = o;
  const { result, folder } = (await findFile(target!))
    ? await ofFile(target!, o, output)
    : await analyseRun('path', target!, o, output, (run, how) => {
        refuseGiven({ '--labels': o.labels, ...flagsOfTable(o) }, `only for a file; ${target} is a run`);
        return pathOfRun(
          run,
          { from, to, bridges, snapshot, layer, samples, name, metric: o.metric as Metric },
          how,
        );
      });
  const pictures = await writePictures(folder, pathPictures(result), picturesOf(o), output);
  output.result(`${pathSentence(result)}\nwritten to ${folder}`, {
    folder,
    pictures,
    from: result.from,
    to: result.to,
    samples: [...result.path.samples],
    links: [...result.path.links],
    bottleneck: result.path.bottleneck,
    direct: result.direct,
    bridges: result.bridges.map(({ sample, bottleneck }) => ({ sample, bottleneck })),
    noMore: result.noMore,
  });
}

async function ofFile(
  file: string,
  o: Options,
  output: Output,
): Promise<{ result: PathResult; folder: string }> {
  refuseGiven({ '--layer': o.layer, '--snapshot': o.snapshot }, `only for runs; ${file} is a matrix`);
  const folder =
    o.output ??
    `${basename(file)
      .replace(/\.[a-z]+(?=:|$)/i, '')
      .replaceAll(':', '-')}-path`;
  return analyseFrom(folder, output, async (how) => {
    const place = await rowsPlace(file);
    await refuseOther(folder, nameOf(file), o.force, stampOf(place));
    const [from, to] = o.between;
    const { bridges, metric, samples, name } = o;
    return pathOfFile(
      place,
      { from, to, bridges, metric, samples, name, ...tableOf(o), labels: await labelsPlace(o.labels) },
      talkOfFiles(how, output, nameOf(file)),
    );
  });
}
