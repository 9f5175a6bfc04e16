import type { TrainProgress } from '@epochscope/analysis/models';
import type { ActivityPanel, GeometrySpectrum, TendencyPanel } from '@epochscope/analysis/results';

/** Share of the time that pictures of a run that grows are planned for: with the first and the last, which are always drawn, they stay below a tenth. */
export const PICTURES_SHARE = 0.08;

/** What a person gave to the page. */
export type Given =
  | { kind: 'files'; files: [path: string, file: File][]; name?: string }
  | { kind: 'handle'; handle: FileSystemDirectoryHandle }
  /** live: a run that may grow while it is looked at. */
  | { kind: 'url'; url: string; live?: boolean };

export interface Opened {
  id: number;
  /** matrix: one file of rows; runs: one or more runs, or a result alone; digits: IDX files to train on. */
  kind: 'matrix' | 'runs' | 'digits';
  name: string;
  /** What was assumed or left out while it was opened, one sentence each. */
  notes: string[];
  /** Where results go. */
  keeps: string;
  volatile: boolean;
  /** Of digits: training images. */
  images?: number;
}

/** What is told about a file of rows before it is analysed. */
export interface MatrixFacts {
  name: string;
  rows: number;
  columns: number;
  /** Of a table: what all its columns are called. */
  allColumns: string[] | null;
  /** Column taken as classes. */
  labels: string | null;
  /** Arrays inside an .npz or a safetensors file. */
  arrays: string[];
  array: string | null;
  /** Estimated peak of the analysis, in bytes. */
  memory: number;
  notes: string[];
}

export interface MatrixOptions {
  array: string | null;
  metric: string;
  /** Names or numbers of columns; empty: all. */
  columns: string[];
  drop: string[];
  /** Column whose values are classes; '' for none, null: of a table the last with texts that come again and again. */
  labels: string | null;
  /** The first so many rows; null: all. */
  samples: number | null;
  /** Sizes of subsets tried along the order. */
  thin: number[];
}

export const MATRIX_START: MatrixOptions = {
  array: null,
  metric: 'euclidean',
  columns: [],
  drop: [],
  labels: null,
  samples: null,
  thin: [],
};

export interface TrainingOptions {
  net: 'lenet5' | 'mlp' | 'transformer';
  epochs: number;
  batchSize: number;
  learningRate: number;
  noise: number;
  /** transformer: what each step takes off the weights, times the rate. */
  weightDecay: number;
  /** transformer: it learns a + b modulo this. */
  modulus: number;
  seed: number;
  /** Test images that pictures are drawn of. */
  samples: number;
}

/** Snapshots an epoch while training in the page. */
const SNAPSHOTS_AN_EPOCH = 4;
/** Snapshots of a training whose steps are its epochs. */
const SNAPSHOTS_OF_STEPS = 60;
/** Steps between two of them. */
export const snapshotSteps = (stepsPerEpoch: number, epochs: number): number =>
  Math.max(
    1,
    Math.round(stepsPerEpoch === 1 ? epochs / SNAPSHOTS_OF_STEPS : stepsPerEpoch / SNAPSHOTS_AN_EPOCH),
  );

export const TRAINING_START: TrainingOptions = {
  net: 'lenet5',
  epochs: 10,
  batchSize: 50,
  learningRate: 0.001,
  noise: 0.3,
  weightDecay: 0,
  modulus: 59,
  seed: 1,
  samples: 500,
};
/** More than any training has: all of it in each step. */
const FULL_BATCH = 1_000_000;
/** What the form says at first of a net; a test holds the transformer's against the command line's. */
export const trainingStart = (net: TrainingOptions['net']): TrainingOptions =>
  net === 'transformer'
    ? {
        net,
        epochs: 600,
        batchSize: FULL_BATCH,
        learningRate: 0.003,
        noise: 0,
        weightDecay: 4,
        modulus: 59,
        seed: 1,
        samples: 600,
      }
    : { ...TRAINING_START, net };

/** What nets are trained on: digits bundled with the page, IDX files that were dropped, or sums. */
export interface TrainingData {
  /** Of the place they were opened at; null: bundled. */
  id: number | null;
  name: string;
  images: number;
}
export const BUNDLED: TrainingData = { id: null, name: 'bundled', images: 8000 };
/** What a training learns: sums where it is a transformer, else the digits that there are. */
export function dataOf({ net, modulus }: TrainingOptions, digits: TrainingData): TrainingData {
  // Half of all pairs are trained on.
  if (net === 'transformer')
    return { id: null, name: `modular-addition:${modulus}`, images: Math.round(0.5 * modulus ** 2) };
  return digits.name.startsWith('modular-addition') ? BUNDLED : digits;
}

export interface TrainingProgress extends TrainProgress {
  secondsLeft: number | null;
  /** Of the time, that pictures took. */
  picturesShare: number;
}

/** What is drawn of a training while it goes on: its last layer after some step. */
export interface LiveFrame {
  panel: TendencyPanel;
  predictions: Uint32Array;
  /** Mean over the epoch so far. */
  loss: number;
  /** Share of the samples read right. */
  right: number;
  activity: ActivityPanel;
  /** Of the last time that it was taken. */
  spectrum: GeometrySpectrum | null;
  /** Whether the run keeps a snapshot of this step. */
  kept: boolean;
}

/** The samples that frames are drawn of. */
export interface LiveSamples {
  count: number;
  labels: Uint32Array;
  classes: string[];
  images: { data: Uint8Array; shape: readonly [number, number, number, number] };
}

/** The command that trains the same run. */
export const trainingCommand = (
  { net, epochs, batchSize, learningRate, noise, weightDecay, seed, samples }: TrainingOptions,
  { name, images }: TrainingData,
): string =>
  [
    `epochscope train --model ${net}${name === BUNDLED.name ? '' : ` --data ${name}`} --epochs ${epochs}`,
    batchSize === FULL_BATCH ? '' : `--batch ${batchSize}`,
    `--lr ${learningRate} --noise ${noise}`,
    net === 'transformer' ? `--weight-decay ${weightDecay}` : '',
    `--seed ${seed} --samples ${samples} --snapshots every:${snapshotSteps(Math.ceil(images / batchSize), epochs)}`,
  ]
    .filter(Boolean)
    .join(' ');
