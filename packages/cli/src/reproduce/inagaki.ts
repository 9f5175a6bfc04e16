import { join } from 'node:path';
import {
  type ActivityPanel,
  type ActivityResult,
  activityOfRun,
  type ChangeResult,
  type Figure,
  type TracksResult,
} from '@epochscope/analysis';
import { changeStatistics, shiftStatistics } from '@epochscope/analysis/methods';
import { buildModel, type Dataset, prepareTf, type SnapshotPolicy, train } from '@epochscope/analysis/models';
import { readManifest } from '@epochscope/analysis/runs';
import { guard } from '@epochscope/core-wasm';
import { EsActivityBars, EsChangeHeatmap, EsChangeScatter } from '@epochscope/ui';
import { scatterOf } from '@epochscope/ui/drawing';
import { analyseRun } from '../analyse.js';
import { changeAndTracks } from '../commands/change.js';
import type { Output } from '../output.js';
import { type Picture, PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { writeReport } from '../report/page.js';
import { trainTold } from '../train.js';
import { experimentData } from './data.js';
import { alikeClaim, differsClaim, type SignsOf, shiftClaim, signsClaim } from './inagaki-claims.js';
import type { Experiment, ExperimentOptions } from './types.js';

/** The first and the second layer of feature maps: what the paper's figures 5 to 8 are about. */
const CONVOLUTIONS = ['C1', 'C2'] as const;
const MAPS = ['R1', 'R2'] as const;
const SAMPLES = 1000;
/** The paper gives no net, optimizer or number of epochs (its figure 4 is a picture of the net). */
const TRAINING = { batchSize: 100, optimizer: 'adam', learningRate: 0.001, noise: 0 } as const;
const EPOCHS = 5;
const QUICK_EPOCHS = 2;

/** The other reading: what Keras's and PyTorch's examples of MNIST do, which pull filters less to one side. */
const OTHER = { batchSize: 100, optimizer: 'sgd', learningRate: 0.05, noise: 0 } as const;

export const experiment: Experiment = {
  describe:
    'Inagaki & Aoyama, change of parameters and activity of feature maps: CNN on MNIST, a snapshot every batch',
  paper:
    'Yota Inagaki, Mikio Aoyama, A Visualization Method of Learning Process for Deep Learning (Nanzan University)',
  about: [
    'The paper does not say which net, optimizer or number of epochs it used (its figure 4 is a picture of the net) and reads its claims off pictures. Ours: LeNet-5, Adam at 0.001, batch 100, 5 epochs, pixels of 0 … 1, a snapshot after every batch; the rules were set before whole MNIST was run with several seeds.',
    'Pixels of 0 … 1 are never negative, so that a gradient pulls all weights of a filter to one side: a filter that rises as a whole makes its positive weights grow without any of them following its sign. The change is therefore also judged within filters, and for a net trained on standardised pixels by plain SGD (0.05), beside the first reading.',
    'Figures 1 to 4 of the paper are its process, equation, architecture and net, and are not drawn; its text refers to the bars of both layers as one figure 7.',
  ],

  async run(options, output) {
    const { seed, quick } = options;
    const run = join(options.output, 'run');
    const epochs = options.epochs ?? (quick ? QUICK_EPOCHS : EPOCHS);
    const data = await experimentData('mnist', options, [28, 28, 1], output);
    const count = await trained(run, data, options, epochs, output);

    output.say('Figures 5 and 6: change from before training to the end');
    const { result: change, tracks } = await changeAndTracks(
      run,
      {
        from: 'init',
        to: 'last',
        tracks: ['all'],
        paths: { rule: 'largest', k: 8 },
        name: 'default',
      },
      output,
    );
    output.say(`Figure 7: activity of ${MAPS.join(' and ')} on ${count} test samples`);
    const { result: activity } = await analyseRun(
      'activity',
      run,
      { name: 'default' },
      output,
      (opened, how) => activityOfRun(opened, { layers: MAPS, snapshots: ['last'] }, how),
    );
    await writePictures(options.output, pictures(change, activity), PNG_AND_SVG, output);
    await writeReport(run, join(options.output, 'run.html'));
    output.say('The other reading: standardised inputs and SGD');
    const other = await otherReading(data, epochs, seed, output);

    const panel = (layer: string): ActivityPanel => activity.panels.find((p) => p.layer === layer)!;
    const first = change.tensors.find(({ layer, shape }) => layer === CONVOLUTIONS[0] && shape.length > 1)!;
    const own: SignsOf = {
      layer: CONVOLUTIONS[0],
      statistics: first.statistics,
      shifted: shiftStatistics(first.before, first.delta, first.shape.at(-1)!),
    };
    return {
      parameters: {
        data: options.data ?? (quick ? 'bundled' : ''),
        net: 'lenet5',
        epochs,
        ...TRAINING,
        'other reading': `standardised inputs, ${OTHER.optimizer} ${OTHER.learningRate}, batch ${OTHER.batchSize}`,
        snapshots: tracks?.snapshots.length ?? 0,
        samples: count,
      },
      claims: [
        signsClaim(own),
        shiftClaim(own),
        signsClaim(other, 'change-follows-sign-sgd'),
        shiftClaim(other, 'sign-beside-shift-sgd'),
        alikeClaim(panel(MAPS[0])),
        differsClaim(panel(MAPS[0]), panel(MAPS[1])),
      ],
      remarks: remarks(change, activity, tracks),
      figures: [
        {
          title: 'Figure 5: filters of the first layer, and how they changed',
          caption:
            'Left of the paper’s figure, here above: values before training; below: change to the end. White is 0, red less, blue more, one scale on both sides of 0.',
          files: ['figure-5-before.png', 'figure-5-change.png'],
          claims: ['sign-beside-shift', 'sign-beside-shift-sgd'],
        },
        {
          title: 'Figure 6: value before against change',
          caption:
            'A point a weight of the first layer; the legend tells signs apart and names the line of least squares.',
          files: ['figure-6.png'],
          claims: ['change-follows-sign', 'change-follows-sign-sgd'],
        },
        {
          title: 'Figure 7: activity of feature maps by class',
          caption:
            'A chart a feature map, a bar a class: mean sum over the map, over the mean sum of the input, of rightly classified samples (eq. 1). First the first layer, then the second, all their maps.',
          files: MAPS.map((layer) => `figure-7-${layer}.png`),
          claims: ['first-layer-alike', 'second-layer-differs'],
        },
      ],
    };
  },
};

/** LeNet-5 from the same start, trained on standardised pixels by SGD: how its first filters changed. */
async function otherReading(data: Dataset, epochs: number, seed: number, output: Output): Promise<SignsOf> {
  let [sum, squares] = [0, 0];
  for (const byte of data.train.images) {
    sum += byte / 255;
    squares += (byte / 255) ** 2;
  }
  const mean = sum / data.train.images.length;
  const sd = Math.sqrt(squares / data.train.images.length - mean * mean);
  const tf = await prepareTf();
  const net = buildModel(tf, {
    name: 'lenet5',
    seed,
    inputShape: [...data.shape],
    classes: data.classes.length,
  });
  const progress = output.progress('Training');
  const kept: Float32Array[] = [];
  let filters = 1;
  try {
    await train(tf, net, data, {
      ...OTHER,
      epochs,
      seed,
      standardise: { mean, sd },
      snapshots: { init: true, epochs: [epochs] },
      signal: output.signal,
      onProgress: ({ step, steps }) => progress.update(step, steps),
      onSnapshot: (_, weights) => {
        const { data: values, shape } = weights.get(`${CONVOLUTIONS[0]}.kernel`)!;
        filters = shape.at(-1)!;
        kept.push(Float32Array.from(values as Float32Array));
      },
    });
  } finally {
    progress.stop();
    net.model.dispose();
  }
  const before = kept[0]!;
  const delta = kept.at(-1)!.map((w, i) => w - before[i]!);
  return {
    layer: `${CONVOLUTIONS[0]}, standardised inputs and SGD`,
    statistics: changeStatistics([{ before, delta }]),
    shifted: shiftStatistics(before, delta, filters),
  };
}

/** Trains, or takes up a whole run that was trained just so. Answers the number of samples it is analysed on. */
async function trained(
  run: string,
  data: Dataset,
  options: ExperimentOptions,
  epochs: number,
  output: Output,
): Promise<number> {
  const { seed, overwrite } = options;
  guard(data.test.count > 0, 'argument', () => `${data.source} holds no test samples`);
  const snapshots: SnapshotPolicy = { init: true, everySteps: 1 };
  const wanted = { ...TRAINING, epochs, seed, trainingSamples: data.train.count };
  const samples = Math.min(SAMPLES, data.test.count);
  const there = await readManifest(run).catch(() => null);
  const steps = epochs * Math.ceil(data.train.count / TRAINING.batchSize);
  const same =
    !overwrite &&
    there?.complete &&
    there.samples?.count === samples &&
    there.snapshots.length === steps + 1 &&
    Object.entries(wanted).every(([name, value]) => there.training?.[name] === value);
  if (same) output.say(`${run} was trained just so: its snapshots are used`);
  else {
    output.say(`LeNet-5 on ${data.train.count} digits, ${epochs} epochs, ${steps} snapshots`);
    const { imagesPerSecond, testAccuracy } = await trainTold(
      run,
      data,
      { model: { name: 'lenet5', seed }, ...TRAINING, epochs, seed, snapshots, samples },
      overwrite,
      output,
    );
    output.say(`test accuracy ${(100 * testAccuracy).toFixed(2)} %, ${Math.round(imagesPerSecond)} images/s`);
  }
  return samples;
}

/** The paper's figures: 5 filters and their change, in its own colours (decrease red, increase blue); 6 one against the other; 7 activity of both layers. */
function pictures(change: ChangeResult, activity: ActivityResult): Picture[] {
  const [first] = CONVOLUTIONS;
  const data = change.tensors.find(({ layer, shape }) => layer === first && shape.length > 1)!;
  const heatmap = (values: 'before' | 'delta') =>
    Object.assign(new EsChangeHeatmap(), {
      data,
      result: change,
      inputShape: change.inputShape,
      values,
      palette: 'red-blue' as const,
    });
  return [
    { name: 'figure-5-before', figure: heatmap('before') },
    { name: 'figure-5-change', figure: heatmap('delta') },
    {
      name: 'figure-6',
      figure: Object.assign(new EsChangeScatter(), { data: scatterOf(change, first), result: change }),
    },
    ...MAPS.map((layer) => ({
      name: `figure-7-${layer}`,
      figure: Object.assign(new EsActivityBars(), {
        data: activity.panels.find((p) => p.layer === layer)!,
        result: activity,
        classes: activity.classes,
        most: Number.POSITIVE_INFINITY,
      }),
    })),
  ];
}

const figure = ({ value }: Figure, digits = 3) => value?.toFixed(digits) ?? '–';
const percent = ({ value }: Figure) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

function remarks(change: ChangeResult, activity: ActivityResult, tracks: TracksResult | null): string[] {
  return [
    `Change from ${change.from.id} to ${change.to.id}, every layer:`,
    [
      '| layer | weights | Pearson r | slope | equal signs | positive grew | negative shrank |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...change.layers.map(
        ({ layer, statistics: s }) =>
          `| ${layer} | ${s.count} | ${figure(s.pearson)} | ${figure(s.slope)} | ${percent(s.equalSigns)} | ${percent(s.positiveGrew)} | ${percent(s.negativeShrank)} |`,
      ),
    ].join('\n'),
    `Selectivity of filters: ${activity.panels
      .map(
        ({ layer, distribution: d, filters }) =>
          `${layer} (${filters} filters) median ${figure(d.median)}, quartiles ${figure(d.q1)} and ${figure(d.q3)}`,
      )
      .join('; ')}.`,
    ...(tracks
      ? [`The run holds ${tracks.snapshots.length} snapshots, one before training and one after each batch.`]
      : []),
    'Pictures: figure-5 … figure-7 as PNG and SVG; run.html shows every layer and every step.',
  ];
}
