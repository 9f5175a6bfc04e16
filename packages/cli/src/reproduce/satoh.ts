import { join } from 'node:path';
import {
  type TendencyPanel,
  type TendencyResult,
  type TendencyRunOptions,
  tendencyOfRun,
} from '@epochscope/analysis';
import type { MarkRule } from '@epochscope/analysis/methods';
import type { SnapshotPolicy } from '@epochscope/analysis/models';
import { readManifest } from '@epochscope/analysis/runs';
import { guard } from '@epochscope/core-wasm';
import { analyseRun } from '../analyse.js';
import type { Output } from '../output.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { tendencyPicture } from '../pictures/tendency.js';
import { writeReport } from '../report/page.js';
import { trainTold } from '../train.js';
import { experimentData } from './data.js';
import { bestWindow, blockClaim, digitClaim, layerClaim, rimClaim, thinningClaim } from './satoh-claims.js';
import { figureOne } from './satoh-figure-1.js';
import type { Experiment, ExperimentOptions } from './types.js';

/** Rows of figures 2 and 3, below that of one channel of P1. */
const LAYERS = ['R3', 'R4', 'S5'];
const LAST = 'S5';
const CHANNELS = Array.from({ length: 6 }, (_, c) => `P1@${c}`);
/** Columns, as far as training goes. The paper's fourth, 100, is there with --epochs 100. */
const EPOCHS = [1, 2, 10];
const QUICK_EPOCHS = [1, 2, 5, 10];
/** Samples of the paper's pictures, and the smaller numbers of figure 4. */
const SAMPLES = 1000;
const SIZES = [500, 100, 50];
const MARKS: MarkRule[] = [
  { rule: 'top-likelihood', k: 10 },
  { rule: 'correct', classes: [1, 2] },
  { rule: 'wrong', classes: [1, 2] },
];
/** The paper adds noise to the training inputs and does not say how much, nor how it trains. */
const TRAINING = {
  batchSize: 100,
  optimizer: 'adam',
  learningRate: 0.001,
  noise: 0.3,
} as const;
const QUICK_BATCH = 50;

export const experiment: Experiment = {
  describe:
    'Satoh, cluster tendency of layer outputs (VAT / iVAT): LeNet-5 on MNIST, epochs 1, 2, 10 (and 100)',
  paper:
    'Makoto Satoh, Visual Analysis Method with Cluster Tendency Analysis for Image Deep Learning (IPSJ SIG Technical Report)',
  about: [
    'Ours, where the paper is open: Adam at 0.001, batch 100, Gaussian noise of 0.3 on training inputs of 0 … 1 (the paper adds noise and does not say how much, nor how it trains), the first 1000 test samples, ten epochs unless `--epochs 100` asks for the paper’s. It reads its claims off pictures; the rules are ours, set before whole MNIST was run with several seeds.',
    'The paper’s row P1 is one channel, and it does not say which. Here it is the one whose block of digit 1 is purest at the last epoch; the claim on digit 1 is about all six.',
    'Orders are those of VAT on the distances themselves. R’s seriation, which the paper uses, runs VAT once more on the path distances and starts at the other end of the farthest pair: blocks are the same, and may stand in another order.',
  ],

  async run(options, output) {
    const { seed, quick } = options;
    const run = join(options.output, 'run');
    const known = quick ? QUICK_EPOCHS : EPOCHS;
    const epochs = options.epochs ?? known.at(-1)!;
    const columns = [...new Set([...[...known, 100].filter((e) => e < epochs), epochs])];
    const testSamples = await trained(run, options, { epochs, columns }, output);

    const shared: Partial<TendencyRunOptions> = {
      snapshots: columns.map(String),
      metric: 'euclidean',
      marks: MARKS,
      vatSide: 0,
      seed,
      samples: SAMPLES,
    };
    const tendency = (own: Partial<TendencyRunOptions> & { name: string }) =>
      analyseRun('tendency', run, own, output, (opened, how) =>
        tendencyOfRun(opened, { ...shared, ...own }, how),
      );
    output.say(`Channels of P1, for digit 1, on ${SAMPLES} test samples`);
    const channels = await tendency({
      layers: CHANNELS,
      snapshots: [String(epochs)],
      marks: [],
      stabilitySubsets: 0,
      name: 'channels',
    });
    const labels = channels.result.samples.labels!;
    const purity = channels.result.panels.map(({ order }) => bestWindow(order, labels, 1) ?? 0);
    const rows = [CHANNELS[purity.indexOf(Math.max(...purity))]!, ...LAYERS];
    output.say(`Figures 2 and 3: layers ${rows.join(', ')} on ${SAMPLES} test samples`);
    const layers = await tendency({ layers: rows, name: 'default' });
    output.say(`Figure 4: ${LAST} on ${SIZES.join(', ')} of them`);
    const thinned = await tendency({
      layers: [LAST],
      marks: MARKS.slice(0, 1),
      name: 'thinning',
      thin: { by: 'size', sizes: SIZES },
    });
    output.say(`${LAST} on all ${testSamples} test samples, for the rims of blocks`);
    const whole = await tendency({
      layers: [LAST],
      marks: [],
      name: 'all-samples',
      samples: null,
      stabilitySubsets: 0,
    });

    const pictures = [
      await figureOne(run, layers.result, lastOf(layers.result, LAST), seed),
      tendencyPicture(layers.result, 'figure-2', 'layers'),
      tendencyPicture(layers.result, 'figure-3', 'marks'),
      tendencyPicture(thinned.result, 'figure-4', 'thinning'),
    ];
    await writePictures(options.output, pictures, PNG_AND_SVG, output);
    await writeReport(run, join(options.output, 'run.html'));

    const last = (result: TendencyResult) => result.panels.filter(({ layer }) => layer === LAST);
    return {
      parameters: {
        data: options.data ?? (quick ? 'bundled' : ''),
        net: 'lenet5 (table 1)',
        epochs,
        ...TRAINING,
        batchSize: quick ? QUICK_BATCH : TRAINING.batchSize,
        samples: SAMPLES,
        metric: 'euclidean',
      },
      claims: [
        blockClaim(last(layers.result)),
        layerClaim(rows.map((layer) => lastOf(layers.result, layer))),
        digitClaim(channels.result.panels, labels),
        rimClaim(last(whole.result), last(layers.result), await wrongShares(run, columns)),
        thinningClaim(thinned.result),
      ],
      remarks: remarks(layers.result, rows, columns),
      figures: [
        {
          title: 'Figure 1: dissimilarities and their iVAT picture',
          caption: `Left: distances of the outputs of ${LAST} at epoch ${epochs} in the order of the samples; right: by iVAT. Dark = similar.`,
          files: ['figure-1.png'],
          claims: [],
        },
        {
          title: 'Figure 2: layers over epochs',
          caption: `Epochs as columns, layers as rows (${rows[0]}: one channel). Marks at the edges: the ten likeliest samples of each class. Blocks are outlined, grey at the edge is in none.`,
          files: ['figure-2.png'],
          claims: ['ten-blocks', 'later-layers', 'digit-one'],
        },
        {
          title: 'Figure 3: digits 1 and 2, right and wrong',
          caption:
            'The same pictures; marks: samples of digits 1 and 2, by whether they are classified rightly.',
          files: ['figure-3.png'],
          claims: ['rims'],
        },
        {
          title: 'Figure 4: fewer samples',
          caption: `${LAST} on ${SAMPLES} samples, and on every i-th of them along the order of all at the last epoch.`,
          files: ['figure-4.png'],
          claims: ['thinning'],
        },
      ],
    };
  },
};

const lastOf = ({ panels }: TendencyResult, layer: string): TendencyPanel =>
  panels.filter((p) => p.layer === layer).at(-1)!;

/** Trains, or takes up a whole run that was trained just so. Answers the number of its test samples. */
async function trained(
  run: string,
  options: ExperimentOptions,
  { epochs, columns }: { epochs: number; columns: number[] },
  output: Output,
): Promise<number> {
  const { seed, quick, overwrite } = options;
  const data = await experimentData('mnist', options, [28, 28, 1], output);
  guard(
    data.test.count >= SIZES[0]!,
    'argument',
    () => `${data.source}: figure 4 needs at least ${SIZES[0]} test samples, got ${data.test.count}`,
    { expected: SIZES[0]!, got: data.test.count },
  );
  const batchSize = quick ? QUICK_BATCH : TRAINING.batchSize;
  const snapshots: SnapshotPolicy = { init: true, epochs: columns };
  const wanted = {
    ...TRAINING,
    batchSize,
    epochs,
    seed,
    trainingSamples: data.train.count,
    testSamples: data.test.count,
  };
  const there = await readManifest(run).catch(() => null);
  const same =
    !overwrite &&
    there?.complete &&
    there.samples?.count === data.test.count &&
    Object.entries(wanted).every(([name, value]) => there.training?.[name] === value) &&
    columns.every((epoch) => there.snapshots.some((s) => s.epoch === epoch));
  if (same) output.say(`${run} was trained just so: its snapshots are used`);
  else {
    output.say(`LeNet-5 on ${data.train.count} digits, ${epochs} epochs`);
    await trainTold(
      run,
      data,
      {
        model: { name: 'lenet5', seed },
        ...TRAINING,
        batchSize,
        epochs,
        seed,
        snapshots,
        samples: data.test.count,
      },
      overwrite,
      output,
    );
  }
  return data.test.count;
}

/** Test accuracy of each column, by epoch. */
async function wrongShares(run: string, columns: readonly number[]): Promise<Map<number, number>> {
  const { snapshots } = await readManifest(run);
  return new Map(
    columns.flatMap((epoch) => {
      const accuracy = snapshots.find((s) => s.epoch === epoch)?.metrics.testAccuracy;
      return typeof accuracy === 'number' ? [[epoch, 1 - accuracy] as const] : [];
    }),
  );
}

function remarks(
  { panels }: TendencyResult,
  layers: readonly string[],
  columns: readonly number[],
): string[] {
  const rows = layers.map((layer) => {
    const cells = panels
      .filter((p) => p.layer === layer)
      .map(
        ({ blocks, scores: { inBlocks, overall } }) =>
          `${blocks.count} / ${Math.round(100 * (1 - blocks.shareInNone))} % / ${inBlocks.ari.value?.toFixed(2) ?? '–'} / ${overall.ari.value?.toFixed(2) ?? '–'} / ${blocks.stability.value?.toFixed(2) ?? '–'}`,
      );
    return `| ${layer} | ${cells.join(' | ')} |`;
  });
  return [
    [
      `Blocks / share of the samples in them / ARI against the classes in blocks / ARI of all samples, free ones given to blocks / stability, on ${SAMPLES} test samples:`,
      '',
      `| layer | ${columns.map((e) => `epoch ${e}`).join(' | ')} |`,
      `| --- | ${columns.map(() => '---').join(' | ')} |`,
      ...rows,
    ].join('\n'),
    'Pictures: figure-1 … figure-4 as PNG and SVG; run.html shows every layer with zoom.',
  ];
}
