import type { Matrix, Metric, VatResult } from '@epochscope/core-wasm';
import type {
  LightEdges,
  PairwiseJob,
  PairwiseShape,
  VatPointsJob,
  VatPointsPlan,
} from '@epochscope/core-wasm/jobs';
import type { TaskName, TaskStep } from './tasks.js';
import type { WorkerInit } from './worker-api.js';

/** A KernelWorker reached through Comlink, or in this thread. */
export interface RemoteKernels {
  init(options: WorkerInit): Promise<void>;
  vat(x: Matrix, metric: Metric, core?: number): Promise<VatResult>;
  vatPrepare(
    x: Matrix,
    metric: Metric,
    workers: number,
    plan?: VatPointsPlan,
    core?: number,
  ): Promise<VatPointsJob>;
  vatDone(job: VatPointsJob): Promise<number>;
  vatRun(job: VatPointsJob, worker: number, steps: number): Promise<number>;
  vatFinish(job: VatPointsJob): Promise<VatResult>;
  vatEdgesFit(job: VatPointsJob): Promise<boolean>;
  vatEdges(job: VatPointsJob): Promise<LightEdges | null>;
  vatRelease(job: VatPointsJob): Promise<void>;
  pairwisePrepare(x: Matrix, metric: Metric, shape: PairwiseShape): Promise<PairwiseJob>;
  pairwiseRun(job: PairwiseJob, worker: number, from: number, to: number): Promise<void>;
  pairwiseCopy(job: PairwiseJob, to: Float32Array, from: number, end: number): Promise<void>;
  pairwiseRelease(job: PairwiseJob): Promise<void>;
  taskStart(name: TaskName, ...args: unknown[]): Promise<void>;
  taskStep(): Promise<TaskStep>;
  taskDrop(): Promise<void>;
  memoryBytes(): Promise<number>;
}

/** One worker, however it was made. */
export interface Member {
  kernels: RemoteKernels;
  /** Hands a matrix over without copying twice. */
  hand(x: Matrix): Matrix;
  /** Rejects when the worker dies. */
  died: Promise<never>;
  /** Keeps the process alive while a job runs, and only then. */
  hold(busy: boolean): void;
  terminate(): Promise<void>;
}
