import { join } from 'node:path';
import {
  type ActivityPanel,
  type ActivityResult,
  activityOfRun,
  type ChangeResult,
  type Figure,
  type TracksResult,
} from '@epochscope/analysis';
import type { SnapshotPolicy } from '@epochscope/analysis/models';
import { readManifest } from '@epochscope/analysis/runs';
import { guard } from '@epochscope/core-wasm';
import { EsActivityBars, EsChangeHeatmap, EsChangeScatter } from '@epochscope/ui';
import { scatterOf } from '@epochscope/ui/drawing';
import { analyseRun, checkCancelled } from '../analyse.js';
import { changeAndTracks } from '../commands/change.js';
import type { Output } from '../output.js';
import { type Picture, PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { writeReport } from '../report/page.js';
import { trainTold } from '../train.js';
import { type ClaimsReport, claimsText, writeClaims } from './claims.js';
import { experimentData } from './data.js';
import { alikeClaim, differsClaim, signsClaim } from './inagaki-claims.js';
import type { Experiment, ExperimentOptions } from './types.js';

/** The first and the second layer of feature maps: what the paper's figures 5 to 8 are about. */
const CONVOLUTIONS = ['C1', 'C2'] as const;
const MAPS = ['R1', 'R2'] as const;
const SAMPLES = 1000;
/** The paper gives no net, optimizer or number of epochs (its figure 4 is a picture of the net). */
const TRAINING = { batchSize: 100, optimizer: 'adam', learningRate: 0.001, noise: 0 } as const;
const EPOCHS = 5;
const QUICK_EPOCHS = 2;

export const experiment: Experiment = {
  describe:
    'Inagaki & Aoyama, change of parameters and activity of feature maps: CNN on MNIST, a snapshot every batch',

  async run(options, output) {
    const begun = performance.now();
    const { seed, quick } = options;
    const run = join(options.output, 'run');
    const epochs = options.epochs ?? (quick ? QUICK_EPOCHS : EPOCHS);
    const count = await trained(run, options, epochs, output);

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
    output.say(`Figures 7 and 8: activity of ${MAPS.join(' and ')} on ${count} test samples`);
    const { result: activity } = await analyseRun(
      'activity',
      run,
      { name: 'default' },
      output,
      (opened, how) => activityOfRun(opened, { layers: MAPS, snapshots: ['last'] }, how),
    );
    await writePictures(options.output, pictures(change, activity), PNG_AND_SVG, output);
    await writeReport(run, join(options.output, 'report.html'));

    const panel = (layer: string): ActivityPanel => activity.panels.find((p) => p.layer === layer)!;
    const first = change.layers.find(({ layer }) => layer === CONVOLUTIONS[0])!;
    const report: ClaimsReport = {
      experiment: 'inagaki',
      paper:
        'Yota Inagaki, Mikio Aoyama, A Visualization Method of Learning Process for Deep Learning (Nanzan University)',
      quick,
      parameters: {
        data: options.data ?? (quick ? 'bundled' : ''),
        net: 'lenet5',
        epochs,
        ...TRAINING,
        snapshots: tracks?.snapshots.length ?? 0,
        samples: count,
        seed,
      },
      seconds: (performance.now() - begun) / 1000,
      claims: [
        signsClaim(CONVOLUTIONS[0], first.statistics),
        alikeClaim(panel(MAPS[0])),
        differsClaim(panel(MAPS[0]), panel(MAPS[1])),
      ],
      remarks: remarks(change, activity, tracks),
    };
    checkCancelled(output, 'cancelled before the claims were written');
    await writeClaims(options.output, report);
    output.result(`${claimsText(report)}\nwritten to ${options.output}`, {
      output: options.output,
      ...report,
    });
  },
};

/** Trains, or takes up a whole run that was trained just so. Answers the number of samples it is analysed on. */
async function trained(
  run: string,
  options: ExperimentOptions,
  epochs: number,
  output: Output,
): Promise<number> {
  const { seed, overwrite } = options;
  const data = await experimentData('mnist', options, [28, 28, 1], output);
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

/** The paper's figures: 5 filters and their change, in its own colours (decrease red, increase blue); 6 one against the other; 7, 8 activity. */
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
    ...MAPS.map((layer, i) => ({
      name: `figure-${7 + i}`,
      figure: Object.assign(new EsActivityBars(), {
        data: activity.panels.find((p) => p.layer === layer)!,
        result: activity,
        classes: activity.classes,
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
    'The paper does not say which net, optimizer or number of epochs it used and reads its claims off pictures; net and rules here are ours, the rules set after a look at the bundled digits and before the whole of MNIST was run.',
    'Pictures: figure-5-before and figure-5-change (filters and their change), figure-6 (scatter), figure-7 and figure-8 (activity of the first and second layer), each as PNG and SVG; report.html shows them with every layer and every step.',
  ];
}
