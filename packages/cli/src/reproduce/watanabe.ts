import { join } from 'node:path';
import { type ModulesRunOptions, modulesOfRun } from '@epochscope/analysis';
import { type Dataset, openDataset } from '@epochscope/analysis/models';
import { readManifest } from '@epochscope/analysis/runs';
import { analyseRun } from '../analyse.js';
import { makeFolder } from '../files.js';
import type { Output } from '../output.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { modulePictures, writeCentroidFigures } from '../pictures/modules.js';
import { trainTold } from '../train.js';
import { experimentData } from './data.js';
import { earlierTraining } from './trained.js';
import type { Experiment, ExperimentOptions } from './types.js';
import { type GrownClusters, watanabeClaims, watanabeRemarks } from './watanabe-claims.js';

const QUICK_IMAGES = 2000;

/** Layers whose units are clustered alone, so that the number of clusters stands over that of units. */
const PARTS = [['R3'], ['R2', 'R3'], null] as const;

export const experiment: Experiment = {
  describe: 'Watanabe, clusters of hidden units over epochs: convolutional net on CIFAR-10, 30 epochs',
  paper: 'C. Watanabe, Visualization of cluster structure transition in deep learning',
  about: [
    'The paper’s figure 1, its net, is missing in the copy at hand. Ours has two stages of 3 × 3 convolution with padding 1 (8 and 16 channels), ReLU and max pool, then dense 128, ReLU, dense 10. Other nets it may have been: the convolutional nets of the author’s earlier work on module structure, Keras’s CIFAR-10 example (32, 32, 64, 64, dense 512) and LeNet with padding; these are named, not run.',
    'Clusters are counted in two ways. `level` takes the coarsest level of the merge sequence at which every cluster keeps all pairs within θ: the first merge wider than θ stops every branch, so its count grows with the number of units. `branch` cuts each branch at its own coarsest such cluster.',
    'Claims were decided by rules fixed beforehand. `more-splits-late` and the range of output correlations failed in all runs seen so far.',
  ],
  async run(options, output) {
    const data = await dataOf(options, output);
    const epochs = options.epochs ?? (options.quick ? 4 : 30);
    // 1, 10, 20, 30 of 30.
    const snapshots = [...new Set([1, ...[1, 2, 3].map((k) => Math.max(1, Math.round((k * epochs) / 3)))])];
    const samples = options.quick ? 500 : 2500;
    const batch = options.quick ? 20 : 100;
    await makeFolder(options.output);
    const run = join(options.output, 'run');
    const earlier = await earlierTraining(
      run,
      Boolean(options.overwrite),
      ({ training }) =>
        training?.data === `${data.name} (${data.source})` &&
        training.trainingSamples === data.train.count &&
        training.epochs === epochs &&
        training.batchSize === batch &&
        training.seed === options.seed,
      output,
    );
    if (earlier !== 'complete')
      await trainTold(
        run,
        data,
        {
          model: { name: 'cifar-cnn', seed: options.seed },
          epochs,
          batchSize: batch,
          optimizer: 'adam',
          learningRate: 0.001,
          noise: 0,
          seed: options.seed,
          snapshots: { init: false, epochs: snapshots },
          samples: 100,
        },
        earlier === 'cut',
        output,
      );
    const accuracy = (await readManifest(run)).snapshots.at(-1)!.metrics.testAccuracy;
    const modules = (own: Partial<ModulesRunOptions> & { name: string }) =>
      analyseRun('modules', run, own, output, (opened, how) =>
        modulesOfRun(
          opened,
          { snapshots, theta: 0.83, samples, seed: options.seed, sweep: null, ...own },
          { ...how, dataset: async () => data },
        ),
      );
    const { result, folder } = await modules({
      cut: 'level',
      ...(options.quick ? {} : { sweep: [0.3, 0.45, 0.6, 0.75, 0.83, 0.95, 1.1] }),
      name: 'watanabe',
    });
    // The other reading of the cut, beside it.
    const branch = await modules({ cut: 'branch', name: 'watanabe-branch' });
    const grown: GrownClusters[] = [];
    for (const layers of PARTS) {
      const last = async (cut: 'level' | 'branch') => {
        if (layers === null) return (cut === 'level' ? result : branch.result).snapshots.at(-1)!;
        const name = `parts-${layers.join('-')}-${cut}`;
        return (await modules({ layers, cut, snapshots: [epochs], name })).result.snapshots.at(-1)!;
      };
      const level = await last('level');
      const own = await last('branch');
      grown.push({ units: level.kept.length, level: level.clusters.length, branch: own.clusters.length });
    }
    for (const one of [{ folder, result }, branch]) {
      // The paper's colours: black −, white +.
      await writePictures(one.folder, modulePictures(one.result, 'grey'), PNG_AND_SVG, output);
      await writeCentroidFigures(one.folder, one.result);
    }
    const place = 'run/results/modules/watanabe';
    const file = (name: string) => `${place}/${name}.png`;
    const ids = result.snapshots.map(({ snapshot }) => snapshot.id);
    return {
      parameters: {
        data: `${data.name} (${data.train.count} training, ${data.test.count} test samples)`,
        net: 'cifar-cnn: two stages of 3×3 convolution with padding 1 (8, 16), ReLU, max pool; dense 128, ReLU, dense 10',
        epochs,
        snapshots,
        batch,
        optimizer: 'adam 0.001',
        units: result.units.total,
        samples,
        theta: 0.83,
        cut: 'level (and branch)',
      },
      claims: watanabeClaims(result, branch.result),
      remarks: [
        ...(typeof accuracy === 'number' ? [`Test accuracy ${(100 * accuracy).toFixed(2)} %.`] : []),
        ...watanabeRemarks(result, branch.result, grown),
      ],
      figures: [
        {
          title: 'Figure 2: how clusters pass into each other',
          caption:
            'Rows: clusters of the earlier snapshot, columns: of the later one, with their numbers of units; a cell is the share of the row’s units that go to the column. The largest clusters are shown one by one, all others together as the rest.',
          files: result.transitions
            .filter(({ fromSizes }) => fromSizes.length)
            .map(({ from, to }) => file(`transition-${from}-${to}`)),
          claims: ['few-splits-early', 'more-splits-late'],
        },
        ...result.snapshots.flatMap(({ snapshot, clusters }, i) =>
          clusters.length
            ? [
                {
                  title: `Figure ${3 + i}: centroids after ${snapshot.epoch} ${snapshot.epoch === 1 ? 'epoch' : 'epochs'}`,
                  caption:
                    'Per cluster: mean correlation of its units with each input, drawn so that the largest absolute value is full colour (its true range beside it), and below the mean correlation with each class.',
                  files: [file(`centroids-${ids[i]}`)],
                  claims: i === result.snapshots.length - 1 ? ['clusters', 'clusters-branch'] : [],
                },
              ]
            : [],
        ),
      ],
    };
  },
};

/** CIFAR-10; when quick a part of it, or of the bundled digits where none is given. */
async function dataOf(options: ExperimentOptions, output: Output): Promise<Dataset> {
  const data =
    options.quick && (options.data === undefined || options.data === 'bundled')
      ? await openDataset('bundled')
      : await experimentData('cifar10', options, [32, 32, 3], output);
  if (!options.quick) return data;
  const size = data.shape.reduce((a, b) => a * b, 1);
  const part = (split: Dataset['train'], count: number) => ({
    images: split.images.subarray(0, count * size),
    labels: split.labels.subarray(0, count),
    count: Math.min(count, split.count),
  });
  return { ...data, train: part(data.train, QUICK_IMAGES), test: part(data.test, 500) };
}
