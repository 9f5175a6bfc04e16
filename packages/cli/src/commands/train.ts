import type { TrainRunOptions } from '@epochscope/analysis';
import { MODEL_NAMES, type ModelSpec } from '@epochscope/analysis/models';
import { TRAIN_DEFAULTS, TRANSFORMER_DEFAULTS, trainDefaults } from '@epochscope/analysis/workflows';
import type { Command } from 'commander';
import { openData } from '../data.js';
import type { Output } from '../output.js';
import { trainTold } from '../train.js';
import { refuseGiven, usage } from '../usage.js';
import { number, oneOf, snapshotPolicy, whole } from './_shared.js';

const MODEL = 'lenet5';
const PRETRAINING = { epochs: 10, learningRate: 0.1 };

/** What holds where it is not given, for the transformer in words of its own. */
const otherwise = (name: keyof TrainRunOptions, transformer = TRANSFORMER_DEFAULTS[name]): string =>
  `(default: ${TRAIN_DEFAULTS[name]}; transformer: ${transformer})`;

export function define(command: Command): Command {
  return command
    .argument('[model]', 'the net, as --model', oneOf(MODEL_NAMES))
    .option('-o, --output <dir>', 'run directory to write (default: MODEL-run)')
    .option('--model <name>', `${MODEL_NAMES.join(', ')} (default: ${MODEL})`, oneOf(MODEL_NAMES))
    .option('--hidden <units>', 'mlp and dbn: units of its hidden layers', (text) =>
      text.split(',').map(whole(1)),
    )
    .option(
      '--activation <name>',
      'mlp: relu or sigmoid (default: relu)',
      oneOf(['relu', 'sigmoid'] as const),
    )
    .option(
      '--data <where>',
      `"bundled" (10 000 MNIST digits), "modular-addition:P" (a + b mod P), a folder of MNIST IDX or CIFAR-10 binary files, or "mnist" or "cifar10" to fetch ${otherwise('data')}`,
    )
    .option(
      '--download <dir>',
      'folder that --data mnist or cifar10 is fetched into (default: the user cache)',
    )
    .option('--epochs <n>', `passes over the training samples ${otherwise('epochs')}`, whole(0))
    .option(
      '--snapshots <when>',
      '"init,1,2,10" or "every:1epoch" as folders, "every:100steps" or "log:COUNT" as a step log; the last step is always kept',
    )
    .option('--batch <n>', `samples a step ${otherwise('batchSize', 'all')}`, whole(1))
    .option(
      '--optimizer <name>',
      `adam, sgd, momentum or adamw ${otherwise('optimizer')}`,
      oneOf(['adam', 'sgd', 'momentum', 'adamw'] as const),
    )
    .option('--lr <rate>', `learning rate ${otherwise('learningRate')}`, number(0))
    .option(
      '--weight-decay <share>',
      `adamw: times the rate, what each step takes off the weights ${otherwise('weightDecay')}`,
      number(0),
    )
    .option(
      '--noise <sd>',
      `standard deviation of noise added to training inputs of 0 … 1 ${otherwise('noise')}`,
      number(0),
    )
    .option(
      '--pretrain <n>',
      `dbn: passes of contrastive divergence for each layer, 0 for none (default: ${PRETRAINING.epochs})`,
      whole(0),
    )
    .option(
      '--pretrain-lr <rate>',
      `dbn: step size of contrastive divergence (default: ${PRETRAINING.learningRate})`,
      number(0),
    )
    .option('--samples <n>', `test samples kept for analysis ${otherwise('samples')}`, whole(1))
    .option('--seed <n>', 'initial weights, order and noise', whole(0), 1)
    .option('--overwrite', 'replace an existing run; this very training, cut off, goes on without')
    .addHelpText(
      'after',
      '\nExample:\n  epochscope train --data ~/mnist --epochs 10 --snapshots init,1,2,10 -o my-run\n  epochscope train dbn --hidden 500,500,2000 --pretrain 10 --epochs 10 -o my-dbn\n  epochscope train transformer -o my-grokking',
    );
}

interface Options {
  output?: string;
  model?: ModelSpec['name'];
  hidden?: number[];
  activation?: 'relu' | 'sigmoid';
  data?: string;
  download?: string;
  epochs?: number;
  snapshots?: string;
  batch?: number;
  optimizer?: TrainRunOptions['optimizer'];
  lr?: number;
  weightDecay?: number;
  noise?: number;
  pretrain?: number;
  pretrainLr?: number;
  samples?: number;
  seed: number;
  overwrite?: boolean;
}

export async function run([named]: string[], o: Options, output: Output): Promise<void> {
  const { hidden, activation, seed } = o;
  if (named !== undefined && o.model !== undefined && named !== o.model)
    throw usage(`--model ${o.model}: the net is named already, ${named}`);
  const name = (named as ModelSpec['name'] | undefined) ?? o.model ?? MODEL;
  if (name !== 'mlp') refuseGiven({ '--activation': activation }, `only for mlp; ${name} has its own`);
  if (name !== 'mlp' && name !== 'dbn')
    refuseGiven({ '--hidden': hidden }, `only for mlp and dbn, not ${name}`);
  if (name !== 'dbn')
    refuseGiven({ '--pretrain': o.pretrain, '--pretrain-lr': o.pretrainLr }, `only for dbn, not ${name}`);
  const pretraining = {
    epochs: o.pretrain ?? PRETRAINING.epochs,
    learningRate: o.pretrainLr ?? PRETRAINING.learningRate,
  };
  const known = trainDefaults(name);
  const epochs = o.epochs ?? known.epochs;
  const directory = o.output ?? `${name}-run`;
  const data = await openData(o.data ?? known.data, o, output);
  output.say(
    `${data.name}: ${data.train.count} training and ${data.test.count} test samples from ${data.source}`,
  );
  const summary = await trainTold(
    directory,
    data,
    {
      model: { name, seed, ...(hidden ? { hidden } : {}), ...(activation ? { activation } : {}) },
      epochs,
      batchSize: o.batch ?? known.batchSize,
      optimizer: o.optimizer ?? known.optimizer,
      learningRate: o.lr ?? known.learningRate,
      weightDecay: o.weightDecay ?? known.weightDecay,
      noise: o.noise ?? known.noise,
      seed,
      pretrain: name === 'dbn' && pretraining.epochs > 0 ? pretraining : null,
      snapshots: o.snapshots === undefined ? known.snapshots : snapshotPolicy(o.snapshots, epochs),
      samples: o.samples ?? known.samples,
    },
    Boolean(o.overwrite),
    output,
  );
  output.result(
    `${directory}: ${summary.snapshots} snapshots, test accuracy ${(100 * summary.testAccuracy).toFixed(2)} %, ${Math.round(summary.imagesPerSecond)} images/s`,
    {
      run: directory,
      imagesPerSecond: summary.imagesPerSecond,
      testAccuracy: summary.testAccuracy,
      snapshots: summary.snapshots,
    },
  );
}
