import { join } from 'node:path';
import {
  type GeometryResult,
  type GeometryRunOptions,
  geometryOfRun,
  openRun,
  type TrainRunOptions,
} from '@epochscope/analysis';
import { type Hierarchy, hierarchyTest } from '@epochscope/analysis/methods';
import { type Dataset, graphOfRun, prepareTf, smoothJvp } from '@epochscope/analysis/models';
import { analyseRun } from '../analyse.js';
import { makeFolder } from '../files.js';
import type { Output } from '../output.js';
import { geometryPictures } from '../pictures/geometry.js';
import { PNG_AND_SVG, writePictures } from '../pictures/index.js';
import { trainTold } from '../train.js';
import { experimentData } from './data.js';
import {
  cosineAt,
  depthClaim,
  dimensionClaim,
  finetuningClaim,
  hierarchyClaim,
  leftClaim,
  localityClaim,
  type Phases,
  perturbationClaim,
  spectrumAt,
  tangentClaim,
  vectorClaim,
} from './mototake-claims.js';
import { bendingOf, curvatureRemark, manifoldClaim } from './mototake-curvature.js';
import { earlierTraining } from './trained.js';
import type { Experiment, ExperimentOptions } from './types.js';

/** Hinton, Osindero & Teh's net, which the paper cites; it gives no sizes and no epochs. */
const HIDDEN = [500, 500, 2000];
const QUICK_HIDDEN = [100, 100, 200];
const EPOCHS = 10;
const QUICK_EPOCHS = 3;
/** Inputs of the paper's other experiment, §7, and its triplets. */
const INPUTS = 16;
const K = 100;
const CONVOLUTIONAL_K = 500;
/** Inputs behind the tree of classes. */
const CLASS_INPUTS = 200;
/** Inputs at which the map's curvature is worked out. */
const CURVED = 8;
/** What the ten classes of CIFAR-10 mean, by WordNet's grouping of them. */
const CIFAR_HIERARCHY: Hierarchy = [
  [
    ['automobile', 'truck'],
    ['airplane', 'ship'],
  ],
  [
    ['cat', 'dog'],
    ['deer', 'horse'],
    ['bird', 'frog'],
  ],
];

/** One of the nets of §7: convolutional ones, on which vectors of large values are local. */
interface Convolutional {
  result: GeometryResult;
  /** The layer looked at. */
  layer: string;
}

export const experiment: Experiment = {
  describe:
    'Mototake & Ikegami, singular values and vectors of Jacobians: a Deep Belief Network on MNIST before and after fine-tuning, convolutional nets on MNIST and CIFAR-10',
  paper: 'Mototake & Ikegami, The Analysis Of Deep Neural Networks',
  about: [
    'Ours, where the paper is open: 784-500-500-2000-10 of logistic units (Hinton, Osindero & Teh’s, which it cites), ten epochs of contrastive divergence a layer and ten of fine-tuning, 16 inputs, the first 100 triplets.',
    'Its §7 is about AlexNet on ImageNet, which is not at hand: LeNet-5 on MNIST and a small net on CIFAR-10 (`--cifar DIR`) stand for it, with up to 500 triplets. ReLU and max pooling make these piecewise linear: the Jacobian is the one at the input.',
    'Figures 1 to 5 of the paper are sketches and are not drawn.',
  ],
  async run(options, output) {
    const { seed, quick } = options;
    const data = await experimentData('mnist', options, [28, 28, 1], output);
    const cifar =
      options.cifar === undefined
        ? null
        : await experimentData('cifar10', { ...options, data: options.cifar }, [32, 32, 3], output);
    const epochs = options.epochs ?? (quick ? QUICK_EPOCHS : EPOCHS);
    const hidden = quick ? QUICK_HIDDEN : HIDDEN;
    await makeFolder(options.output);
    const run = join(options.output, 'run');
    await trained(
      run,
      data,
      {
        model: { name: 'dbn', hidden, seed },
        epochs,
        batchSize: quick ? 20 : 100,
        optimizer: 'adam',
        learningRate: 0.001,
        noise: 0,
        seed,
        pretrain: { epochs, learningRate: 0.1 },
        snapshots: { init: true, epochs: [epochs] },
        samples: 1000,
      },
      options,
      output,
    );

    const { manifest } = await openRun(run);
    const phases: Phases = {
      pretrained: `rbm-${hidden.length}`,
      finetuned: manifest.snapshots.at(-1)!.id,
      layers: hidden.map((_, i) => `H${i + 1}`),
    };
    const geometry = async (place: string, own: Partial<GeometryRunOptions> & { name: string }) =>
      (
        await analyseRun('geometry', place, own, output, (opened, how) =>
          geometryOfRun(opened, { seed, ...own }, how),
        )
      ).result;
    const result = await geometry(run, {
      layers: [...phases.layers, `S${hidden.length + 1}`],
      snapshots: ['init', phases.pretrained, phases.finetuned],
      inputs: INPUTS,
      k: K,
      pictureInputs: INPUTS,
      name: 'default',
    });
    output.say('Curvature along tangents');
    const opened = await openRun(run);
    const tf = await prepareTf();
    const top = phases.layers.at(-1)!;
    const pixels = (await opened.inputs())!;
    const indices = [...result.samples.indices].slice(0, quick ? 4 : CURVED);
    const bending = [];
    for (const id of [phases.pretrained, phases.finetuned]) {
      const map = smoothJvp(graphOfRun(tf, opened.manifest, await opened.weights(id), id), top);
      bending.push(bendingOf(map, id, pixels, indices, [28, 28, 1], seed));
    }
    output.say('Figures 8 and 9: convolutional nets');
    const convolutional = async (
      name: string,
      of: Dataset,
      model: TrainRunOptions['model'],
      passes: number,
    ): Promise<Convolutional> => {
      const place = join(options.output, name);
      await trained(
        place,
        of,
        {
          model,
          epochs: passes,
          batchSize: quick ? 20 : 100,
          optimizer: 'adam',
          learningRate: 0.001,
          noise: 0,
          seed,
          snapshots: { init: false, epochs: [passes] },
          samples: 1000,
        },
        options,
        output,
      );
      const found = await geometry(place, {
        layers: ['P1', 'P2', 'R3'],
        inputs: quick ? 4 : INPUTS,
        k: quick ? 60 : CONVOLUTIONAL_K,
        tangents: false,
        name: 'default',
      });
      return { result: found, layer: 'R3' };
    };
    const lenet = await convolutional('lenet5', data, { name: 'lenet5', seed }, quick ? 1 : 5);
    const small = cifar && (quick ? { ...cifar, train: firstOf(cifar.train, 2000, 3072) } : cifar);
    const colour =
      small && (await convolutional('cifar', small, { name: 'cifar-cnn', seed }, quick ? 2 : 10));
    let tested: Parameters<typeof hierarchyClaim>[0] = null;
    if (small) {
      const { classTrees, samples } = await geometry(join(options.output, 'cifar'), {
        layers: ['R3'],
        inputs: quick ? 20 : CLASS_INPUTS,
        k: K,
        tangents: false,
        pictures: 0,
        hierarchy: CIFAR_HIERARCHY,
        name: 'classes',
      });
      const tree = classTrees.at(-1);
      if (tree) tested = { tree, test: hierarchyTest(tree, samples.classes, CIFAR_HIERARCHY, { seed }) };
    }

    // Sheets of vectors take long to draw: those of the layer that the paper shows.
    const pictures = geometryPictures(result, 'grey').filter(
      ({ name }) => !name.includes('-init-') && (!name.endsWith('-vectors') || name.startsWith(`${top}-`)),
    );
    await writePictures(options.output, pictures, PNG_AND_SVG, output);
    const others: [string, GeometryResult][] = [['lenet5', lenet.result]];
    if (colour) others.push(['cifar', colour.result]);
    for (const [name, one] of others)
      await writePictures(join(options.output, name), geometryPictures(one, 'grey'), PNG_AND_SVG, output);
    const names = new Set(pictures.map(({ name }) => name));
    const files = (...wanted: string[]) =>
      wanted.filter((name) => names.has(name)).map((name) => `${name}.png`);
    const ofNet = ({ result: own, layer }: Convolutional) =>
      own.spectra.find(({ kind, to }) => kind === 'depth' && to === layer) ?? null;
    const noCifar = 'no CIFAR-10 was given (--cifar DIR)';
    const last = (one: GeometryResult) => one.spectra.at(-1)!.snapshot.id;
    return {
      parameters: {
        data: `${data.name} (${data.train.count} training, ${data.test.count} test samples)`,
        net: `784-${hidden.join('-')}-10, logistic units`,
        'epochs of contrastive divergence': epochs,
        'epochs of fine-tuning': epochs,
        inputs: INPUTS,
        k: K,
        'convolutional nets': `lenet5${small ? `, cifar-cnn on ${small.train.count} of ${small.name}` : ''}`,
      },
      claims: [
        depthClaim(result, phases),
        dimensionClaim(result, phases),
        tangentClaim(result, phases),
        leftClaim(result, phases, seed),
        finetuningClaim(result, phases),
        vectorClaim(result, phases),
        perturbationClaim(result, phases),
        localityClaim(spectrumAt(result, phases.pretrained, top), 'large-is-local-dbn', `DBN, ${top}`),
        localityClaim(ofNet(lenet), 'large-is-local-lenet', 'LeNet-5, R3'),
        localityClaim(colour && ofNet(colour), 'large-is-local-cifar', 'CIFAR net, R3', noCifar),
        hierarchyClaim(tested, noCifar),
        await manifoldClaim(seed),
      ],
      remarks: [...remarks(result, phases), curvatureRemark(bending, top)],
      figures: [
        {
          title: 'Figure 6, above: spectra after pre-training and after fine-tuning',
          caption:
            'Singular values of the maps from the input to each layer, mean and standard deviation over the inputs, logarithmic: left in the paper after pre-training, here first; right after fine-tuning, here second. Below them how many are 1 or more.',
          files: files(`spectrum-${phases.pretrained}`, `spectrum-${phases.finetuned}`, 'dimension'),
          claims: ['steeper-with-depth', 'dimension', 'larger-after-fine-tuning'],
        },
        {
          title: 'Figure 6, below: right singular vectors',
          caption: `Beside each input the vectors of the largest values of ${top} and that of the smallest computed that is no rounding, with their σ; after pre-training, then after fine-tuning.`,
          files: files(`${top}-${phases.pretrained}-vectors`, `${top}-${phases.finetuned}-vectors`),
          claims: ['vectors-change', 'left-vectors-agree'],
        },
        {
          title: 'Figure 7: tangent vectors',
          caption:
            'How much of each small transformation of the input lies in the span of the first k right vectors, beside random directions and the same pixels shuffled.',
          files: files(`${top}-${phases.pretrained}-alignment`),
          claims: ['vectors-like-tangents'],
        },
        {
          title: 'Figure 8: spectra of convolutional nets',
          caption:
            'Singular values from the input to each layer, mean and standard deviation over the inputs.',
          files: others.map(([name, one]) => `${name}/spectrum-${last(one)}.png`),
          claims: [],
        },
        {
          title: 'Figure 9: vectors of the largest and the smallest value',
          caption:
            'Beside each input the vectors of the largest values and of the smallest that is no rounding (over 1e-6 of the largest), with their σ; in colour where inputs are.',
          files: others.map(([name, one]) => `${name}/R3-${last(one)}-vectors.png`),
          claims: ['large-is-local-lenet', 'large-is-local-cifar', 'large-is-local-dbn'],
        },
        {
          title: '§7: steps along and across, and classes',
          caption:
            'How far the layer moves when the input takes a step along the first right vectors or across them.',
          files: files(`${top}-${phases.pretrained}-steps`),
          claims: ['normal-moves-less', 'class-hierarchy', 'artificial-manifolds'],
        },
      ],
    };
  },
};

const firstOf = (split: Dataset['train'], count: number, size: number): Dataset['train'] => ({
  images: split.images.subarray(0, count * size),
  labels: split.labels.subarray(0, count),
  count: Math.min(count, split.count),
});

/** Trains, or takes what an earlier, cut-off reproduction with the same options left. */
async function trained(
  directory: string,
  data: Dataset,
  wanted: Partial<TrainRunOptions> & Pick<TrainRunOptions, 'model' | 'epochs' | 'batchSize'>,
  options: ExperimentOptions,
  output: Output,
): Promise<void> {
  const earlier = await earlierTraining(
    directory,
    Boolean(options.overwrite),
    ({ training, model }) =>
      training?.data === `${data.name} (${data.source})` &&
      training.trainingSamples === data.train.count &&
      training.epochs === wanted.epochs &&
      training.batchSize === wanted.batchSize &&
      training.seed === options.seed &&
      model?.name === wanted.model.name &&
      JSON.stringify(model?.hidden) === JSON.stringify(wanted.model.hidden),
    output,
  );
  if (earlier === 'complete') return;
  await trainTold(directory, data, wanted, earlier === 'cut', output);
}

function remarks(result: GeometryResult, { pretrained, finetuned, layers }: Phases): string[] {
  const rows = [
    '| snapshot | layer | σ1 | σ50 | σ ≥ 1 | effective rank | participation ratio |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...result.spectra.map((s) => {
      const spread = ({ mean, sd }: { mean: number; sd: { value: number | null } }) =>
        `${mean.toFixed(1)} ± ${(sd.value ?? 0).toFixed(1)}`;
      const { atLeastOne, effectiveRank, participationRatio } = s.dimensions;
      return `| ${s.snapshot.id} | ${s.to} | ${s.mean[0]!.toFixed(3)} | ${(s.mean[Math.min(50, s.k) - 1] ?? 0).toFixed(4)} | ${spread(atLeastOne)} | ${spread(effectiveRank)} | ${spread(participationRatio)} |`;
    }),
  ];
  const last = layers[layers.length - 1]!;
  const alignment = (snapshot: string) =>
    result.alignments.find((a) => a.snapshot.id === snapshot && a.to === last);
  const [before, after] = [alignment(pretrained), alignment(finetuned)];
  const told =
    before && after
      ? [
          `Tangent vectors in the span of the first right vectors at ${last}, cosine before → after fine-tuning: ${before.names
            .map(
              (name) =>
                `${name} ${cosineAt(before, name).mean.toFixed(2)} → ${cosineAt(after, name).mean.toFixed(2)}`,
            )
            .join(', ')}.`,
        ]
      : [];
  const left = spectrumAt(result, pretrained, last).unconverged;
  return [
    ['Mean and spread over the inputs:', '', ...rows].join('\n'),
    ...told,
    `${left} of the singular triplets at ${last} after pre-training did not converge.`,
  ];
}
