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
import { type Claim, type ClaimsReport, claimsText, writeClaims } from './claims.js';
import { experimentData } from './data.js';
import { blockClaim, layerClaim, rimClaim, thinningClaim } from './satoh-claims.js';
import type { Experiment, ExperimentOptions } from './types.js';

/** Rows of figures 2 and 3. */
const LAYERS = ['P1', 'R3', 'R4', 'S5'];
const LAST = 'S5';
/** Columns, as far as training goes. */
const EPOCHS = [1, 2, 10, 100];
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
  describe: 'Satoh, cluster tendency of layer outputs (VAT / iVAT): LeNet-5 on MNIST, epochs 1, 2, 10, 100',

  async run(options, output) {
    const begun = performance.now();
    const { seed, quick } = options;
    const run = join(options.output, 'run');
    const epochs = options.epochs ?? (quick ? QUICK_EPOCHS : EPOCHS).at(-1)!;
    const columns = [...new Set([...(quick ? QUICK_EPOCHS : EPOCHS).filter((e) => e < epochs), epochs])];
    const testSamples = await trained(run, options, { epochs, columns }, output);

    const shared: Partial<TendencyRunOptions> = {
      snapshots: columns.map(String),
      metric: 'euclidean',
      marks: MARKS,
      vatSide: 0,
      seed,
      samples: SAMPLES,
    };
    output.say(`Figures 2 and 3: layers ${LAYERS.join(', ')} on ${SAMPLES} test samples`);
    const tendency = (own: Partial<TendencyRunOptions> & { name: string }) =>
      analyseRun('tendency', run, own, output, (opened, how) =>
        tendencyOfRun(opened, { ...shared, ...own }, how),
      );
    const layers = await tendency({ layers: LAYERS, name: 'default' });
    output.say(`Figure 4: ${LAST} on ${SIZES.join(', ')} of them`);
    const thinned = await tendency({
      layers: [LAST],
      marks: MARKS.slice(0, 1),
      name: 'thinning',
      thin: { by: 'size', sizes: SIZES },
    });
    output.say(`${LAST} on all ${testSamples} test samples, for the rims of blocks`);
    const whole = await tendency({ layers: [LAST], marks: [], name: 'all-samples', samples: null });

    for (const [name, result, figure] of [
      ['figure-2', layers.result, 'layers'],
      ['figure-3', layers.result, 'marks'],
      ['figure-4', thinned.result, 'thinning'],
    ] as const)
      await writePictures(options.output, [tendencyPicture(result, name, figure)], PNG_AND_SVG, output);
    await writeReport(run, join(options.output, 'report.html'));

    const last = (result: TendencyResult) => result.panels.filter(({ layer }) => layer === LAST);
    const claims: Claim[] = [
      blockClaim(last(layers.result)),
      layerClaim(LAYERS.map((layer) => lastOf(layers.result, layer))),
      rimClaim(last(whole.result), last(layers.result), await wrongShares(run, columns)),
      thinningClaim(thinned.result),
    ];
    const report: ClaimsReport = {
      experiment: 'satoh',
      paper:
        'Makoto Satoh, Visual Analysis Method with Cluster Tendency Analysis for Image Deep Learning (IPSJ SIG Technical Report)',
      quick,
      parameters: {
        data: options.data ?? (quick ? 'bundled' : ''),
        net: 'lenet5 (table 1)',
        epochs,
        ...TRAINING,
        batchSize: quick ? QUICK_BATCH : TRAINING.batchSize,
        samples: SAMPLES,
        metric: 'euclidean',
        seed,
      },
      seconds: (performance.now() - begun) / 1000,
      claims,
      remarks: remarks(layers.result, columns),
    };
    await writeClaims(options.output, report);
    output.result(`${claimsText(report)}\nwritten to ${options.output}`, {
      output: options.output,
      ...report,
    });
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

function remarks({ panels }: TendencyResult, columns: readonly number[]): string[] {
  const rows = LAYERS.map((layer) => {
    const cells = panels
      .filter((p) => p.layer === layer)
      .map(
        ({ blocks, scores: { inBlocks, overall } }) =>
          `${blocks.count} / ${Math.round(100 * (1 - blocks.shareInNone))} % / ${inBlocks.ari.value?.toFixed(2) ?? '–'} / ${overall.ari.value?.toFixed(2) ?? '–'}`,
      );
    return `| ${layer} | ${cells.join(' | ')} |`;
  });
  return [
    `Blocks / share of the samples in them / ARI against the classes in blocks / ARI of all samples, free ones given to blocks, on ${SAMPLES} test samples:`,
    [
      `| layer | ${columns.map((e) => `epoch ${e}`).join(' | ')} |`,
      `| --- | ${columns.map(() => '---').join(' | ')} |`,
      ...rows,
    ].join('\n'),
    'The paper’s row P1 shows one channel, without saying which; here it is the whole layer. It trains 100 epochs with Torch and does not state optimizer, rate, batch or noise; its claims are read off pictures, and the rules above are ours, set after a look at the bundled digits and before the whole of MNIST was run.',
    'Pictures: figure-2.png (layers, ten likeliest samples a class), figure-3.png (digits 1 and 2, right and wrong), figure-4.png (fewer samples), each also as SVG; report.html shows them with zoom.',
  ];
}
