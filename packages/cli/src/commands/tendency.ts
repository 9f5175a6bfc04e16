import { basename } from 'node:path';
import { type TendencyResult, type Thinning, tendencyOfFile, tendencyOfRun } from '@epochscope/analysis';
import { TOKEN_CHOICES, type TokenChoice } from '@epochscope/analysis/formats';
import {
  type MarkRule,
  TENDENCY_METRICS,
  type TendencyMetric,
  type ThinningPlan,
  type TreeCheck,
} from '@epochscope/analysis/methods';
import { blocksSentence } from '@epochscope/analysis/results';
import { checkTreeOfFile, readNumbers, TENDENCY_DEFAULTS } from '@epochscope/analysis/workflows';
import { EpochscopeError, METRICS, type Metric } from '@epochscope/core-wasm';
import { TENDENCY_FIGURES, type TendencyFigure } from '@epochscope/ui/drawing';
import type { Command } from 'commander';
import { analyseFrom, analyseRun, talk, talkOfFiles } from '../analyse.js';
import { isFolder, refuseOther } from '../files.js';
import {
  arrayPlace,
  findFile,
  folderOfFile,
  labelsPlace,
  nameOf,
  rowsPlace,
  stampOf,
} from '../matrix-file.js';
import type { Output } from '../output.js';
import { type PictureOptions, wantsPictures, writePictures } from '../pictures/index.js';
import { panelPictures, tendencyPicture } from '../pictures/tendency.js';
import { usage } from '../usage.js';
import { markRules } from './_marks.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { type CommonOptions, names, oneOf, table, whole } from './_shared.js';
import { flagsOfTable, type TableFlags, tableOf, tableOptions } from './_table.js';
import { panelName, thinningPlan } from './_thin.js';

export function define(command: Command): Command {
  command
    .argument(
      '<run-or-file>',
      'run directory, or a file of points or dissimilarities (rows are samples): .npy, .npz, .safetensors, or a table as text, also gzipped; file.npz:name chooses an array, "part-*.npy" several files of rows, an address one on a server, - is standard input',
    )
    .option('--layers <names>', 'layers; "P1@3" is channel 3 of P1 (default: the last layer)', names)
    .option(
      '--tokens <which>',
      'what stands for a sample in layers of tokens: cls, mean, last, or all (each token a sample)',
      oneOf(TOKEN_CHOICES),
    )
    .option(
      '--snapshots <which>',
      'ids, epochs, "first", "last", "init" or "all" (default: all, of a run with few)',
      names,
    )
    .option(
      '--metric <name>',
      `${TENDENCY_METRICS.join(', ')} (a matrix of dissimilarities, square or condensed)`,
      oneOf(TENDENCY_METRICS),
      TENDENCY_DEFAULTS.metric,
    )
    .option(
      '--core <k>',
      'mutual reachability instead of the distance: the largest of it and those of both samples to their k-th nearest others',
      whole(1),
    )
    .option('--samples <which>', 'only the first N samples, or a file of sample numbers', samplesOption)
    .option(
      '--marks <rules>',
      'top:K, wrong, correct, loss:K, random:K, index:I;J or none; of classes: wrong@1;2',
    )
    .option(
      '--labels <file>',
      'for a file: one label a row (integers, −1 for none, or names), or column:NAME',
    )
    .option(
      '--predictions <file>',
      'for a file: one predicted label a row, for right and wrong, or column:NAME',
    );
  tableOptions(command)
    .option(
      '--check <tree>',
      'for a file: prove or refute that this file of edges (rows from, to, weight; samples from 0) is a minimum spanning tree of it, and end',
    )
    .option('--force', 'for a file: replace the result of another input too')
    .option(
      '--vat-side <pixels>',
      'side of the stored VAT picture, 0 for none',
      whole(0),
      TENDENCY_DEFAULTS.vatSide,
    )
    .option(
      '--smallest-block <n>',
      'smallest number of samples that counts as a block (default: 2 % of them, at least 10); the counts for all others are in the result',
      whole(2),
    )
    .option(
      '--stability <subsets>',
      'subsets of 80 % that say whether other samples show the same blocks, 0 for none (default: 20 up to 5000 samples, else 0)',
      whole(0, 1000),
    )
    .option(
      '--thin <plan>',
      'also analyse fewer samples along a reference order: sizes "500,100", "every:2,5", or "auto:AGREEMENT" (0.95)',
      thinningPlan,
    )
    .option(
      '--reference <panel>',
      'LAYER or LAYER/SNAPSHOT whose order is thinned (default: the last)',
      panelName,
    )
    .option('--seed <n>', 'for stability, sampled pixels and random marks', whole(0), 1)
    .option('--name <name>', 'name of this result', 'default')
    .option('-o, --output <dir>', 'where to write (default: the run itself)');
  return pictureOptions(command, 'pictures: each panel, or the figures chosen,')
    .option(
      '--figure <names>',
      `write figures of all panels: ${TENDENCY_FIGURES.join(', ')} (PNG unless --svg or --pdf)`,
      (text) => names(text).map(oneOf(TENDENCY_FIGURES)),
    )
    .option('--mode <picture>', 'pictures of ivat or vat', oneOf(['ivat', 'vat'] as const), 'ivat')
    .option('--aligned', 'draw figures in orders aligned between snapshots')
    .addHelpText(
      'after',
      '\nExamples:\n  epochscope tendency my-run --layers P1,R3,S5 --snapshots 1,10 --marks top:10\n  epochscope tendency my-run --layers R4,S5 --figure layers,marks,thinning --pdf --width 180mm -o figures\n  epochscope tendency points.npy --labels labels.npy --metric cosine -o result --png',
    );
}

/** What the paper's figures show, unless marks and sizes are given: of 1000 samples 500, 100 and 50. */
const FIGURE_MARKS: MarkRule[] = [{ rule: 'top-likelihood', k: 10 }, { rule: 'correct' }, { rule: 'wrong' }];
const FIGURE_THINNING: ThinningPlan = { by: 'interval', intervals: [2, 10, 20] };

/** A number of samples, or a file's name. */
const samplesOption = (text: string): number | string => (/^\d+$/.test(text) ? whole(1)(text) : text);

interface Options extends CommonOptions, TableFlags, Partial<PictureOptions> {
  layers?: string[];
  tokens?: TokenChoice;
  snapshots?: string[];
  metric: TendencyMetric;
  samples?: number | string;
  marks?: string;
  labels?: string;
  predictions?: string;
  check?: string;
  core?: number;
  force?: boolean;
  vatSide: number;
  smallestBlock?: number;
  stability?: number;
  thin?: ThinningPlan;
  reference?: { layer: string; snapshot: string };
  seed: number;
  figure?: TendencyFigure[];
  mode: 'ivat' | 'vat';
  aligned?: boolean;
}

export async function run([target]: string[], o: Options, output: Output): Promise<void> {
  const figures = o.figure ?? [];
  const { layers, tokens, snapshots = ['all'], vatSide, seed, name } = o;
  const isFile = (await findFile(target!)) !== null;
  const given = (pairs: Record<string, unknown>) => Object.keys(pairs).filter((key) => pairs[key]);
  if (isFile) {
    for (const key of given({
      '--layers': layers,
      '--tokens': tokens,
      '--snapshots': snapshots.join() !== 'all',
    }))
      output.warn(`${key} is for runs and plays no part: ${target} is one matrix`);
  } else {
    const wrong = given({
      '--labels': o.labels,
      '--predictions': o.predictions,
      '--check': o.check,
      '--metric': !METRICS.includes(o.metric as Metric),
      ...flagsOfTable(o),
    });
    if (wrong.length && (await isFolder(target!)))
      throw usage(
        `${wrong.join(', ')}${wrong[0] === '--metric' ? ` ${o.metric}` : ''}: only for a file of one matrix; ${target} is a folder`,
      );
  }
  const options = {
    samples:
      typeof o.samples === 'string' ? [...(await readNumbers(await arrayPlace(o.samples)))] : o.samples,
    marks: markRules(o.marks, seed) ?? (figures.includes('marks') ? FIGURE_MARKS : undefined),
    thin: o.thin ?? (figures.includes('thinning') ? FIGURE_THINNING : undefined),
    vatSide,
    ...(o.core === undefined ? {} : { core: o.core }),
    ...(o.smallestBlock === undefined ? {} : { smallestBlock: o.smallestBlock }),
    ...(o.stability === undefined ? {} : { stabilitySubsets: o.stability }),
    seed,
    name,
  };
  const ofRows = async () => ({
    metric: o.metric,
    ...tableOf(o),
    labels: await labelsPlace(o.labels),
    predictions: await labelsPlace(o.predictions),
  });
  if (isFile && o.check !== undefined) {
    const { stop, ...how } = talk(output);
    const { core, samples } = options;
    const check = await checkTreeOfFile(
      await rowsPlace(target!),
      await arrayPlace(o.check),
      { ...(await ofRows()), core, samples },
      how,
    ).finally(stop);
    output.result(
      treeText(o.check, target!, core ? `${o.metric}, mutual reachability, k = ${core}` : o.metric, check),
      { minimal: true, ...check },
    );
    return;
  }
  const drawing = { mode: o.mode, aligned: Boolean(o.aligned) };
  refuseEarly(figures, o.mode, { ...options, labels: o.labels, predictions: o.predictions }, isFile);
  const { result, folder } = isFile
    ? await ofFile(target!)
    : await analyseRun('tendency', target!, o, output, (run, how) => {
        if (o.snapshots === undefined) refuseMany(run.manifest.snapshots, target!);
        return tendencyOfRun(
          run,
          { ...options, layers, tokens, snapshots, metric: o.metric as Metric, reference: o.reference },
          how,
        );
      });
  async function ofFile(file: string) {
    const folder = o.output ?? (await folderOfFile(file));
    return analyseFrom(folder, output, async (how) => {
      const place = await rowsPlace(file);
      await refuseOther(folder, nameOf(file), o.force, stampOf(place));
      const own = { ...options, ...(await ofRows()) };
      return tendencyOfFile(place, own, talkOfFiles(how, output, nameOf(file)));
    });
  }
  const kinds = picturesOf(o);
  // Figures that were asked for, and those of a file, are written, if in no other way then as PNG.
  if ((figures.length || isFile) && !wantsPictures(kinds)) kinds.png = true;
  const pictures = figures.length
    ? figures.map((name) => tendencyPicture(result, `figure-${name}`, name, drawing))
    : panelPictures(result, o.mode);
  const files = await writePictures(folder, pictures, kinds, output);
  const figure = (f: { value: number | null }) => f.value?.toFixed(3) ?? '–';
  const rows = result.panels.map((p) => [
    panelTitle(p.snapshot.id, p.layer),
    `${p.n}×${p.d}`,
    figure(p.blocks.stability),
    figure(p.scores.overall.ari),
    figure(p.scores.inBlocks.nmi),
    figure(p.scores.inBlocks.purity),
    figure(p.rimScore),
    p.seconds.toFixed(2),
    blocksSentence(p),
  ]);
  const summary = result.panels.map((p) => ({
    snapshot: p.snapshot.id,
    layer: p.layer,
    n: p.n,
    d: p.d,
    sentence: blocksSentence(p),
    blocks: p.blocks.count,
    shareInNone: p.blocks.shareInNone,
    stability: p.blocks.stability,
    scores: p.scores,
    rimScore: p.rimScore,
    seconds: p.seconds,
  }));
  const { thinning } = result;
  output.result(
    [
      table([
        ['panel', 'n×d', 'stability', 'ARI of all', 'NMI', 'purity', 'rim', 'seconds', 'blocks'],
        ...rows,
      ]),
      ...(thinning ? ['', thinningText(thinning)] : []),
      `written to ${folder}${files.length ? `, with ${files.map((file) => basename(file)).join(', ')}` : ''}`,
      ...(isFile && files[0] ? [nextStep(files[0], result)] : []),
    ].join('\n'),
    {
      folder,
      pictures: files,
      panels: summary,
      ...(result.notes ? { notes: result.notes } : {}),
      ...(thinning ? { thinning: thinningSummary(thinning) } : {}),
    },
  );
}

/** What figures need and the options leave out is said before the analysis, which may take long. */
function refuseEarly(
  figures: readonly TendencyFigure[],
  mode: 'ivat' | 'vat',
  {
    marks,
    labels,
    predictions,
    vatSide,
  }: { marks?: MarkRule[]; labels?: string; predictions?: string; vatSide: number },
  isFile: boolean,
): void {
  const refuse = (message: string) => {
    throw usage(message);
  };
  if (figures.includes('marks')) {
    if (isFile && !(labels && predictions))
      refuse('--figure marks shows right and wrong predictions: give --labels and --predictions');
    if (!marks?.some(({ rule }) => rule === 'wrong' || rule === 'correct'))
      refuse(
        '--figure marks shows right and wrong predictions: give --marks wrong,correct, or leave --marks out',
      );
  }
  if (mode === 'vat' && vatSide === 0)
    refuse('--mode vat draws the stored VAT picture: leave out --vat-side 0');
}

/** What a tree that is minimal was found to be. */
function treeText(tree: string, file: string, metric: string, check: TreeCheck): string {
  const { edges, total, minimalTotal, largestExcess, largestWeightError } = check;
  const share = (value: number) => (value === 0 ? 'exactly' : `to ${value.toExponential(1)}`);
  return [
    `${tree} is a minimum spanning tree of ${file} (${metric}):`,
    `  its ${edges} edges join all ${edges + 1} samples with no cycle`,
    ...(largestWeightError === null
      ? []
      : [`  its weights are those of its ends, ${share(largestWeightError)}`]),
    `  no edge is longer than the longest on a path between its ends, ${share(largestExcess)}`,
    `  its weights add up to ${total}, those of the tree computed here to ${minimalTotal}`,
  ].join('\n');
}

/** A plain matrix is layer and snapshot at once. */
const panelTitle = (snapshot: string, layer: string) => (snapshot === layer ? layer : `${snapshot} ${layer}`);

/** What to do with the picture of a file. */
function nextStep(picture: string, { samples }: TendencyResult): string {
  return `next: look at ${picture} (dark blocks on the diagonal are clusters)${samples.labels ? '' : '; --labels FILE or column:NAME colours it by class'}`;
}

/** What is needed to accept or refuse an interval. */
function thinningText(thinning: Thinning): string {
  const { chosen, least, reference, steps, fullSeconds } = thinning;
  const figure = (f: { value: number | null }) => f.value?.toFixed(3) ?? '–';
  return [
    `thinned along ${panelTitle(reference.snapshot, reference.layer)} (all samples: ${fullSeconds.toFixed(2)} s)`,
    table([
      ['samples', 'interval', 'panel', 'blocks', 'ARI with all', 'iVAT correlation', 'seconds'],
      ...steps.flatMap((step) =>
        step.agreement.map((a, i) => [
          step.size,
          Number(step.interval.toFixed(2)),
          panelTitle(a.snapshot, a.layer),
          step.panels[i]!.blocks.count,
          figure(a.ari),
          figure(a.correlation),
          a.seconds.toFixed(2),
        ]),
      ),
    ]),
    ...(least === null
      ? []
      : [
          chosen.value === null
            ? `no interval agrees at least ${least}: ${chosen.reason}`
            : `largest interval that agrees at least ${least} in every panel: ${chosen.value}`,
        ]),
  ].join('\n');
}

const thinningSummary = ({ reference, by, least, chosen, steps, fullSeconds }: Thinning) => ({
  reference,
  by,
  least,
  chosen,
  fullSeconds,
  steps: steps.map(({ interval, size, agreement, lowest, seconds, panels }) => ({
    interval,
    size,
    lowest,
    seconds,
    panels: agreement.map((a, i) => ({ ...a, blocks: panels[i]!.blocks.count })),
  })),
});

/** All snapshots of a run are taken unasked up to this many. */
const MOST_UNASKED = 48;
/** How many are proposed instead. */
const PROPOSED = 8;

/** Throws `argument` where so many pictures are hardly meant, with snapshots spaced by equal factors to choose instead. */
function refuseMany(snapshots: readonly { id: string }[], target: string): void {
  const last = snapshots.length - 1;
  if (last < MOST_UNASKED) return;
  const places = Array.from({ length: PROPOSED - 1 }, (_, i) => Math.round(last ** (i / (PROPOSED - 2))));
  const ids = [...new Set([0, ...places])].map((place) => snapshots[place]!.id);
  throw new EpochscopeError(
    'argument',
    `${target} holds ${snapshots.length} snapshots: a picture of each and every layer is hardly meant; choose some: --snapshots ${ids.join(',')}, or --snapshots all`,
    { snapshots: snapshots.length },
  );
}
