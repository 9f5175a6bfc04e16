import type { RunManifest } from '@epochscope/analysis';
import type { ResultName, RunEntry, RunInfo } from '../source.js';

/** What a person gave to the page. */
export type Given =
  | { kind: 'files'; files: [path: string, file: File][]; name?: string }
  | { kind: 'handle'; handle: FileSystemDirectoryHandle }
  | { kind: 'url'; url: string };

export interface Opened {
  id: number;
  /** matrix: one file of rows; runs: one or more runs, or a result alone. */
  kind: 'matrix' | 'runs';
  name: string;
  /** What was assumed or left out while it was opened, one sentence each. */
  notes: string[];
  /** Where results go. */
  keeps: string;
  volatile: boolean;
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
  net: 'lenet5' | 'mlp';
  epochs: number;
  batchSize: number;
  learningRate: number;
  noise: number;
  seed: number;
  /** Test images that pictures are drawn of. */
  samples: number;
}

/** Snapshots an epoch while training in the page. */
export const PICTURES_AN_EPOCH = 4;

export const TRAINING_START: TrainingOptions = {
  net: 'lenet5',
  epochs: 10,
  batchSize: 50,
  learningRate: 0.001,
  noise: 0.3,
  seed: 1,
  samples: 500,
};

/** The command that trains the same run. */
export const trainingCommand = (
  { net, epochs, batchSize, learningRate, noise, seed, samples }: TrainingOptions,
  steps: number,
): string =>
  `epochscope train --model ${net} --epochs ${epochs} --batch ${batchSize} --lr ${learningRate} --noise ${noise} --seed ${seed} --samples ${samples} --snapshots every:${Math.max(1, Math.round(steps / PICTURES_AN_EPOCH))}`;

export type { ResultName, RunEntry, RunInfo, RunManifest };
