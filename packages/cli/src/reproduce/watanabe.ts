import { join } from 'node:path';
import { type ModulesRunOptions, modulesOfRun } from '@epochscope/analysis';
import { type Dataset, openDataset } from '@epochscope/analysis/models';
import { analyseRun } from '../analyse.js';
import { modulesText } from '../commands/modules.js';
import { makeFolder } from '../files.js';
import type { Output } from '../output.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { modulePictures, writeCentroidFigures } from '../pictures/modules.js';
import { trainTold } from '../train.js';
import { type ClaimsReport, claimsText, writeClaims } from './claims.js';
import { experimentData } from './data.js';
import type { Experiment, ExperimentOptions } from './types.js';
import { watanabeClaims, watanabeRemarks } from './watanabe-claims.js';

const QUICK_IMAGES = 2000;

export const experiment: Experiment = {
  describe: 'Watanabe, clusters of hidden units over epochs: convolutional net on CIFAR-10, 30 epochs',
  async run(options, output) {
    const begun = performance.now();
    const data = await dataOf(options, output);
    const epochs = options.epochs ?? (options.quick ? 6 : 30);
    // 1, 10, 20, 30 of 30.
    const snapshots = [...new Set([1, ...[1, 2, 3].map((k) => Math.max(1, Math.round((k * epochs) / 3)))])];
    const samples = options.quick ? 500 : 2500;
    await makeFolder(options.output);
    const run = join(options.output, 'run');
    const trained = await trainTold(
      run,
      data,
      {
        model: { name: 'cifar-cnn', seed: options.seed },
        epochs,
        batchSize: options.quick ? 20 : 100,
        optimizer: 'adam',
        learningRate: 0.001,
        noise: 0,
        seed: options.seed,
        snapshots: { init: false, epochs: snapshots },
        samples: 100,
      },
      options.overwrite,
      output,
    );
    const modules = (own: Partial<ModulesRunOptions> & { name: string }) =>
      analyseRun('modules', run, own, output, (opened, how) =>
        modulesOfRun(
          opened,
          { snapshots, theta: 0.83, samples, seed: options.seed, ...own },
          { ...how, dataset: async () => data },
        ),
      );
    const { result, folder } = await modules({
      cut: 'level',
      sweep: options.quick ? null : [0.3, 0.45, 0.6, 0.75, 0.83, 0.95, 1.1],
      name: 'watanabe',
    });
    // The other reading of the cut, beside it.
    const branch = await modules({ cut: 'branch', sweep: null, name: 'watanabe-branch' });
    for (const one of [{ folder, result }, branch]) {
      // The paper's colours: black −, white +.
      await writePictures(one.folder, modulePictures(one.result, 'grey'), PNG_AND_SVG, output);
      await writeCentroidFigures(one.folder, one.result);
    }
    const report: ClaimsReport = {
      experiment: 'watanabe',
      paper: 'C. Watanabe, Visualization of cluster structure transition in deep learning',
      quick: options.quick,
      parameters: {
        data: `${data.name} (${data.train.count} training, ${data.test.count} test samples)`,
        net: 'cifar-cnn: two stages of 3×3 convolution with padding 1 (8, 16), ReLU, max pool; dense 128, ReLU, dense 10',
        epochs,
        snapshots,
        batch: options.quick ? 20 : 100,
        optimizer: 'adam 0.001',
        'test accuracy': Number(trained.testAccuracy.toFixed(4)),
        units: result.units.total,
        samples,
        theta: 0.83,
        cut: 'level',
        seed: options.seed,
      },
      seconds: (performance.now() - begun) / 1000,
      claims: watanabeClaims(result),
      remarks: watanabeRemarks(result, branch.result),
    };
    await writeClaims(options.output, report);
    output.result(
      `${claimsText(report)}\n\n${modulesText(result)}\n\nwritten to ${options.output}: claims.md, claims.json, run with results and centroids`,
      { folder: options.output, claims: report.claims },
    );
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
