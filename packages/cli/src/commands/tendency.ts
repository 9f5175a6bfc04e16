import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  blocksSentence,
  type MarkRule,
  type MatrixOptions,
  TENDENCY_METRICS,
  type TendencyMetric,
  type TendencyResult,
  type Thinning,
  type ThinningPlan,
} from '@epochscope/analysis';
import { EpochscopeError, METRICS } from '@epochscope/core-wasm';
import { TENDENCY_FIGURES, type TendencyFigure } from '@epochscope/ui';
import { type Command, InvalidArgumentError } from 'commander';
import { findFile } from '../matrix-file.js';
import type { Output } from '../output.js';
import { wantsPictures, writePictures } from '../pictures/index.js';
import { panelPictures, tendencyPicture } from '../pictures/tendency.js';
import { tendencyOfFile } from '../tendency/of-file.js';
import type { TendencyRunOptions } from '../tendency/options.js';
import { tendencyOfRun } from '../tendency-run.js';
import { markRules } from './_marks.js';
import { pictureOptions, picturesOf } from './_pictures.js';
import { names, oneOf, table, whole } from './_shared.js';
import { panelName, thinningPlan } from './_thin.js';

export function define(command: Command): Command {
  command
    .description('Cluster tendency (VAT / iVAT) of layer outputs, or of any matrix')
    .argument(
      '<run-or-file>',
      'run directory, or a file of points or dissimilarities (rows are samples): .npy, .npz, .safetensors, or a table as text, also gzipped; file.npz:name chooses an array, - is standard input',
    )
    .option('--layers <names>', 'layers; "P1@3" is channel 3 of P1 (default: the last layer)', names)
    .option('--snapshots <which>', 'ids, epochs, "first", "last", "init" or "all"', names, ['all'])
    .option(
      '--metric <name>',
      `${TENDENCY_METRICS.join(', ')} (a matrix of dissimilarities, square or condensed)`,
      oneOf(TENDENCY_METRICS),
      'euclidean',
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
    )
    .option('--names <column>', 'for a file: column:NAME holds the names of the rows')
    .option('--index <column>', 'for a file: the same, by NAME alone; none: no column does')
    .option('--columns <names>', 'for a file: only these columns, by name, number from 1 or range 2-5', names)
    .option('--drop <names>', 'for a file: all columns but these', names)
    .option('--header', 'for a table: the first line names the columns')
    .option('--no-header', 'for a table: the first line is a sample')
    .option(
      '--delimiter <text>',
      'for a table: comma, semicolon, tab, blank, bar, or the character',
      delimiter,
    )
    .option('--decimal <mark>', 'for a table: the decimal mark, "." or ","', oneOf(['.', ','] as const))
    .option(
      '--missing <how>',
      'for a file: pairwise leaves missing values out pair by pair',
      oneOf(['pairwise'] as const),
    )
    .option('--force', 'for a file: replace the result of another input too')
    .option('--vat-side <pixels>', 'side of the stored VAT picture, 0 for none', whole(0), 256)
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

interface Files {
  labels?: string | undefined;
  predictions?: string | undefined;
}

/** What the paper's figures show, unless marks and sizes are given: of 1000 samples 500, 100 and 50. */
const FIGURE_MARKS: MarkRule[] = [{ rule: 'top-likelihood', k: 10 }, { rule: 'correct' }, { rule: 'wrong' }];
const FIGURE_THINNING: ThinningPlan = { by: 'interval', intervals: [2, 10, 20] };

const DELIMITERS: Record<string, MatrixOptions['delimiter']> = {
  comma: ',',
  semicolon: ';',
  tab: '\t',
  '\\t': '\t',
  blank: ' ',
  space: ' ',
  bar: '|',
};

function delimiter(text: string): MatrixOptions['delimiter'] {
  const found = DELIMITERS[text] ?? Object.values(DELIMITERS).find((mark) => mark === text);
  if (!found) throw new InvalidArgumentError('expected comma, semicolon, tab, blank or bar.');
  return found;
}

/** "column:NAME" → NAME. */
function columnName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = /^column:(.+)$/.exec(text)?.[1];
  if (!name) throw new InvalidArgumentError(`--names: expected column:NAME, got ${JSON.stringify(text)}`);
  return name;
}

/** A number of samples, or a file's name. */
const samplesOption = (text: string): number | string => (/^\d+$/.test(text) ? whole(1)(text) : text);

export async function run([target]: string[], o: Record<string, never>, output: Output): Promise<void> {
  const figures = (o.figure ?? []) as TendencyFigure[];
  const drawing = { mode: o.mode as 'ivat' | 'vat', aligned: Boolean(o.aligned) };
  const options = {
    layers: o.layers as string[] | undefined,
    snapshots: o.snapshots as string[],
    metric: o.metric as TendencyMetric,
    table: {
      header: o.header as boolean | undefined,
      delimiter: o.delimiter as MatrixOptions['delimiter'],
      decimal: o.decimal as MatrixOptions['decimal'],
      columns: o.columns as string[] | undefined,
      drop: o.drop as string[] | undefined,
      index: columnName(o.names) ?? (o.index as string | undefined),
    },
    missing: o.missing !== undefined,
    force: Boolean(o.force),
    samples: o.samples as number | string | undefined,
    marks:
      markRules(o.marks as string | undefined, o.seed) ??
      (figures.includes('marks') ? FIGURE_MARKS : undefined),
    labels: o.labels as string | undefined,
    predictions: o.predictions as string | undefined,
    thin:
      (o.thin as ThinningPlan | undefined) ?? (figures.includes('thinning') ? FIGURE_THINNING : undefined),
    reference: o.reference as { layer: string; snapshot: string } | undefined,
    vatSide: o.vatSide as number,
    seed: o.seed as number,
    name: o.name as string,
    output: o.output as string | undefined,
  };
  const isFile = (await findFile(target!)) !== null;
  const given = (pairs: Record<string, unknown>) => Object.keys(pairs).filter((name) => pairs[name]);
  if (isFile) {
    for (const name of given({
      '--layers': o.layers,
      '--snapshots': (o.snapshots as string[]).join() !== 'all',
    }))
      output.warn(`${name} is for runs and plays no part: ${target} is one matrix`);
  } else {
    const wrong = given({
      '--labels': o.labels,
      '--predictions': o.predictions,
      '--missing': o.missing,
      '--metric': !METRICS.includes(o.metric),
      '--names': o.names,
      ...Object.fromEntries(
        Object.entries(options.table).map(([name, value]) => [`--${name}`, value !== undefined]),
      ),
    });
    if (wrong.length && (await isRun(target!)))
      throw new EpochscopeError(
        'argument',
        `${wrong.join(', ')}${wrong[0] === '--metric' ? ` ${o.metric}` : ''}: only for a file of one matrix; ${target} is a folder`,
      );
  }
  refuseEarly(figures, drawing.mode, options, isFile);
  const { result, folder } = await (isFile ? tendencyOfFile : tendencyOfRun)(target!, options, output);
  const kinds = picturesOf(o);
  // Figures that were asked for, and those of a file, are written, if in no other way then as PNG.
  if ((figures.length || isFile) && !wantsPictures(kinds)) kinds.png = true;
  const pictures = figures.length
    ? figures.map((name) => tendencyPicture(result, `figure-${name}`, name, drawing))
    : panelPictures(result, drawing.mode);
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

const isRun = (path: string) =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

/** What figures need and the options leave out is said before the analysis, which may take long. */
function refuseEarly(
  figures: readonly TendencyFigure[],
  mode: 'ivat' | 'vat',
  { marks, labels, predictions, vatSide }: Pick<TendencyRunOptions, 'marks' | 'vatSide'> & Files,
  isFile: boolean,
): void {
  const refuse = (message: string) => {
    throw new EpochscopeError('argument', message);
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
