import {
  EpochscopeError,
  type Kernels,
  type Matrix,
  type Metric,
  type VatResult,
  vatFromPoints,
} from '@epochscope/core-wasm';
import {
  Arena,
  doneOfVatPoints,
  edgesOfVatPointsFit,
  finishVatPoints,
  instantiate,
  type LightEdges,
  lightEdgesOfVatPoints,
  type PairwiseJob,
  type PairwiseShape,
  pairwiseResult,
  preparePairwise,
  prepareVatPoints,
  releasePairwise,
  releaseVatPoints,
  runPairwise,
  runVatPointsWorker,
  type VatPointsJob,
  type VatPointsPlan,
  type VatPointsState,
} from '@epochscope/core-wasm/jobs';
import { transfer } from 'comlink/dist/esm/comlink.mjs';
import { buffersIn, type TaskName, TaskRunner, type TaskStep } from './tasks.js';

/** What a worker needs before any work: a compiled module, and the shared memory where there is one. */
export interface WorkerInit {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory | null;
  /** Exactly one worker of a shared memory hands out its space. */
  owner: boolean;
  /** Whether `module` is the build with fused multiply-add. */
  relaxed: boolean;
}

/** The kernels in one worker. Called through Comlink, or directly by the inline engine. */
export class KernelWorker {
  private kernels: Kernels | null = null;

  init({ module, memory, owner, relaxed }: WorkerInit): void {
    const own = memory ?? new WebAssembly.Memory({ initial: 2, maximum: 65536 });
    // A second arena on the same memory is never asked for space.
    this.kernels = {
      exports: instantiate(module, own),
      memory: own,
      arena: new Arena(own),
      shared: memory !== null,
      relaxed,
    };
    this.owner = owner;
  }
  private owner = false;

  private get loaded(): Kernels {
    if (!this.kernels) throw new EpochscopeError('internal', 'a worker was used before it was set up');
    return this.kernels;
  }
  private get owned(): Kernels {
    if (!this.owner) throw new EpochscopeError('internal', 'only the first worker may allocate');
    return this.loaded;
  }

  vatPrepare(x: Matrix, metric: Metric, workers: number, plan?: VatPointsPlan, core?: number): VatPointsJob {
    return prepareVatPoints(this.owned, x, metric, workers, plan, core);
  }
  /** VAT of few points, all in one message. */
  vat(x: Matrix, metric: Metric, core?: number): VatResult {
    return vatFromPoints(this.owned, x, { metric, core });
  }
  vatRun(job: VatPointsJob, worker: number, steps: number): VatPointsState {
    return runVatPointsWorker(this.loaded.exports, job, worker, steps);
  }
  /** The share that is done, between slices. */
  vatDone(job: VatPointsJob): number {
    return doneOfVatPoints(this.loaded, job);
  }
  vatFinish(job: VatPointsJob): VatResult {
    return finishVatPoints(this.owned, job);
  }
  /** Whether the edges of a running job fit so far, between slices. */
  vatEdgesFit(job: VatPointsJob): boolean {
    return edgesOfVatPointsFit(this.loaded, job);
  }
  /** Gives the job's memory back, as `vatFinish` does. */
  vatEdges(job: VatPointsJob): LightEdges | null {
    const edges = lightEdgesOfVatPoints(this.owned, job);
    releaseVatPoints(this.owned, job);
    return edges;
  }
  vatRelease(job: VatPointsJob): void {
    releaseVatPoints(this.owned, job);
  }

  pairwisePrepare(x: Matrix, metric: Metric, shape: PairwiseShape): PairwiseJob {
    return preparePairwise(this.owned, x, metric, shape);
  }
  pairwiseRun(job: PairwiseJob, worker: number, from: number, to: number): void {
    runPairwise(this.loaded.exports, job, worker, from, to);
  }
  /** Copies values [from, to) of the result to the same place of a shared array. */
  pairwiseCopy(job: PairwiseJob, to: Float32Array, from: number, end: number): void {
    to.set(pairwiseResult(this.loaded, job).subarray(from, end), from);
  }
  pairwiseRelease(job: PairwiseJob): void {
    releasePairwise(this.owned, job);
  }

  private readonly tasks = new TaskRunner();

  /** Begins a task of tasks.ts; `taskStep` carries it on. */
  taskStart(name: TaskName, ...args: unknown[]): void {
    this.tasks.start(this.owned, name, args);
  }
  /** Works for a slice of time. The result's arrays are moved, not copied. */
  taskStep(): TaskStep {
    const step = this.tasks.step();
    return step.finished ? transfer(step, buffersIn(step.value)) : step;
  }
  taskDrop(): void {
    this.tasks.drop();
  }
  /** Bytes of this worker's memory, which never shrinks. */
  memoryBytes(): number {
    return this.loaded.memory.buffer.byteLength;
  }
}
