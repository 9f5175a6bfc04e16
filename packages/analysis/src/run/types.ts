import type { Matrix } from '@epochscope/core-wasm';
import type { RowChoice } from '../formats/npy.js';
import type { StoredTensor, Tensor } from '../formats/types.js';
import type { FileIdentity } from '../results/types.js';
import type { Store } from '../stores/types.js';
import type { SampleImages } from './images.js';
import type { LinkedFile, WeightsLink } from './link.js';
import type { SnapshotWeights, WeightPlace } from './weights.js';

export const RUN_FORMAT = 'epochscope-run/1';

/** A layer as everything downstream names it. */
export interface LayerInfo {
  name: string;
  /** conv2d, dense, relu, max-pool, log-softmax, … */
  kind: string;
  /** Shape of one sample's output: [height, width, channels] or [units]. */
  shape: number[];
  /** Names of this layer's tensors in weights.safetensors, e.g. ["C1.kernel", "C1.bias"]; empty when it has none. */
  parameters: string[];
}

export interface SnapshotInfo {
  /** Folder name: "epoch-0010", "step-00000500", "init". */
  id: string;
  /** null where only steps are known. */
  epoch: number | null;
  step: number | null;
  /** loss, accuracy, testAccuracy, … */
  metrics: Record<string, number>;
}

export interface RunManifest {
  format: typeof RUN_FORMAT;
  tool: { name: string; version: string };
  /** Enough to rebuild the net: `{ name: "lenet5", ...options }`; null for imported runs. */
  model: { name: string; [option: string]: unknown } | null;
  layers: LayerInfo[];
  /** Class names; null when the run has no labels. */
  classes: string[] | null;
  /** Shape of one input sample, e.g. [28, 28, 1]; null when unknown. */
  inputShape: number[] | null;
  /** What the samples under samples/ are. */
  samples: { count: number; source: string } | null;
  /** How it was trained: data, seed, optimizer, batch size, noise, … Plain JSON. */
  training: Record<string, unknown> | null;
  snapshots: SnapshotInfo[];
  /** false while training goes on. */
  complete: boolean;
}

/** What reading takes besides. */
export interface ReadOptions {
  /** Filled in: path in the store → which state of the file was read, hashed while it is read. */
  reads?: Record<string, FileIdentity>;
  /** Only these rows (samples): a span, or row numbers in the order wanted. Only their bytes are read. Default: all. */
  rows?: RowChoice;
}

export interface WeightPlaces {
  path: string;
  tensors: ReadonlyMap<string, WeightPlace>;
  /** What a link names. */
  files?: readonly LinkedFile[];
}

/** A run opened for reading. */
export interface Run {
  /** Where it lies. */
  readonly store: Store;
  /** Last part of that place's name: "my-run". */
  readonly name: string;
  readonly manifest: RunManifest;
  /** What was skipped as incomplete or unreadable, one sentence each. */
  readonly warnings: string[];
  /** Throws `missing`, listing the snapshots there are. Accepts an id, an epoch ("10", 10), "first", "last" or "init". */
  snapshot(idOrEpoch: string | number): SnapshotInfo;
  /** Throws `missing`, listing the layers there are. */
  layer(name: string): LayerInfo;
  /** Names → tensors of one snapshot, all in memory. */
  weights(snapshotId: string, options?: Pick<ReadOptions, 'reads'>): Promise<Map<string, Tensor>>;
  /** Opens one snapshot's weights, to be closed after use: a tensor at a time, so that nets of any size can be gone through. */
  openWeights(snapshotId: string, options?: Pick<ReadOptions, 'reads'>): Promise<SnapshotWeights>;
  /**
   * Where one snapshot's tensors lie: in `path` of the store, or where that is a link (`weights.json`), each in the one of `files` it names.
   * Nothing but a header is read.
   */
  weightPlaces(snapshotId: string): Promise<WeightPlaces>;
  /**
   * One tensor over snapshots (all, or those named, in that order): float32[snapshots × elements], of the flat `indices` or
   * all elements. Reads only that tensor's bytes. Throws `missing` or `shape` where a snapshot holds no such tensor, `memory`
   * over `maxBytes` (default 1 GB).
   */
  series(
    tensor: string,
    options?: {
      snapshots?: readonly (string | number)[];
      indices?: readonly number[];
      maxBytes?: number;
      signal?: AbortSignal;
    },
  ): Promise<Tensor<Float32Array>>;
  /** One layer's output on the analysis samples, n × d (flattened), float32. "P1@3" selects channel 3. */
  outputs(snapshotId: string, layer: string, options?: ReadOptions): Promise<Matrix>;
  /** The same as they are stored, n × its shape: float64 and integers keep what float32 would lose, until differences are taken. */
  outputTensor(snapshotId: string, layer: string, options?: ReadOptions): Promise<Tensor>;
  hasOutputs(snapshotId: string, layer: string): Promise<boolean>;
  /** How many samples a layer's outputs are of, from the header alone; null where there are none. */
  outputCount(snapshotId: string, layer: string): Promise<number | null>;
  /** Where a layer's outputs lie, or would, in the store. */
  outputsPath(snapshotId: string, layer: string): string;
  /** The analysis inputs, flattened n × d, float32; null when not stored. */
  inputs(options?: ReadOptions): Promise<Matrix | null>;
  /** The same as they are stored: bytes stay bytes, n × shape. */
  inputTensor(options?: ReadOptions): Promise<Tensor | null>;
  /** Pictures of the analysis inputs (of `rows`), for galleries; null where they are no pictures or not stored. */
  images(rows?: Uint32Array | null, options?: Pick<ReadOptions, 'reads'>): Promise<SampleImages | null>;
  labels(options?: ReadOptions): Promise<Uint32Array | null>;
  /** Predicted classes that were recorded, of the last snapshot; null when not stored. */
  predictions(options?: ReadOptions): Promise<Uint32Array | null>;
}

/** Writes a run so that a reader sees only whole files; run.json last, after each snapshot. */
export interface RunWriter {
  readonly store: Store;
  /** Throws `argument` when both are null, `shape` when they are not as many. */
  writeSamples(samples: { inputs: Tensor | null; labels: Uint32Array | null; source: string }): Promise<void>;
  /** Outputs: layer name → tensor whose first axis is the sample. */
  /** Weights as they are, one in memory at a time; or a link to where they lie. */
  writeSnapshot(
    info: SnapshotInfo,
    weights: ReadonlyMap<string, Tensor | StoredTensor> | WeightsLink,
    outputs?: Map<string, Tensor>,
  ): Promise<void>;
  /**
   * Adds a snapshot to the run's step log: for thousands of them, of float32 tensors that are the same in all. Its cost is
   * writing the bytes: no folder, no rename, a flush about once a second.
   */
  appendSnapshot(info: SnapshotInfo, weights: ReadonlyMap<string, Tensor>): Promise<void>;
  /** Lets go of the files without marking the run complete, as after a failure. */
  close(): Promise<void>;
  /** Marks the run complete; `snapshots`: these, in this order, are those that run.json names. */
  finish(end?: { snapshots?: readonly SnapshotInfo[] }): Promise<void>;
}
