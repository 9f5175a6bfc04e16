import type { ResultBase, TendencyPanel, TendencyResult } from '@epochscope/analysis/results';
import type { LiveTraining, ResultName, RunInfo } from '../source.js';
import { type RunWorker, runWorker, WorkSource, workersInWords } from './client.js';
import {
  BUNDLED,
  type LiveFrame,
  type LiveSamples,
  type Opened,
  snapshotSteps,
  type TrainingData,
  type TrainingOptions,
  type TrainingProgress,
} from './types.js';

type Event = { training: TrainingProgress } | { frame: LiveFrame };

/**
 * A training in this page: a run that grows. Its last layer is drawn as it learns, and once more for every snapshot, with stability and all,
 * when it is done. Fires `change` on `events`.
 */
export class TrainingSource extends WorkSource implements LiveTraining {
  readonly events = new EventTarget();
  progress: TrainingProgress | null = null;
  problem = '';
  state: 'running' | 'paused' | 'drawing' | 'done' = 'paused';
  frame: LiveFrame | null = null;
  /** Of the snapshots that the run keeps. */
  private readonly frames = new Map<string, LiveFrame>();
  private version = 0;
  private stopping: AbortController | null = null;

  /** Snapshots that the run will have. */
  readonly planned: number;

  constructor(
    worker: RunWorker,
    opened: Opened,
    workers: string,
    readonly options: TrainingOptions,
    readonly data: TrainingData,
    private readonly samples: LiveSamples,
  ) {
    super(worker, opened, workers);
    const steps = Math.ceil(data.images / options.batchSize);
    const all = steps * options.epochs;
    // Before the first step, every so many, and the last.
    this.planned = 1 + Math.ceil(all / snapshotSteps(steps, options.epochs));
  }
  private tell(): void {
    this.events.dispatchEvent(new Event('change'));
  }

  /** Trains, or goes on: to the end, or so many steps. The promise ends with that or a pause. */
  async go(steps: number | null = null): Promise<void> {
    if (this.state !== 'paused') return;
    this.state = 'running';
    this.problem = '';
    this.stopping = new AbortController();
    this.tell();
    const onEvent = (event: Event) => {
      if ('training' in event) this.progress = event.training;
      else this.show(event.frame);
      this.tell();
    };
    const { id } = this.opened;
    try {
      const done = await this.worker.call('train', { id, steps }, { signal: this.stopping.signal, onEvent });
      this.state = 'paused';
      if (done) await this.finish();
    } catch (error) {
      this.state = 'paused';
      if ((error as { code?: string }).code !== 'cancelled') this.problem = (error as Error).message;
    } finally {
      this.changed(this.opened.name);
      this.tell();
    }
  }
  pause(): void {
    this.stopping?.abort();
  }
  private show(frame: LiveFrame): void {
    this.frame = frame;
    if (frame.kept) this.frames.set(frame.panel.snapshot.id, frame);
    this.version++;
    this.changed(this.opened.name);
  }
  /** The result that the command line writes, of every snapshot. */
  private async finish(): Promise<void> {
    this.state = 'drawing';
    this.tell();
    const quiet = { signal: new AbortController().signal, onProgress: () => {}, onNote: () => {} };
    await this.computing.compute(this.opened.name, 'tendency', {}, quiet);
    this.state = 'done';
  }

  /** Frames in the order of their steps; the newest also where the run keeps no snapshot of it. */
  private shown(): LiveFrame[] {
    const kept = [...this.frames.values()];
    return this.frame && !this.frame.kept ? [...kept, this.frame] : kept;
  }
  override async run(key: string): Promise<RunInfo> {
    const info = await super.run(key);
    const { frame, state } = this;
    if (state === 'done' || !frame || !info.manifest) return info;
    const { snapshots } = info.manifest;
    const { snapshot } = frame.panel;
    const known = snapshots.some(({ id }) => id === snapshot.id);
    // This moment, until the next.
    const now = { ...snapshot, metrics: { loss: frame.loss } };
    return {
      ...info,
      // That it is not complete is said by the page itself.
      warnings: info.warnings.filter((text) => !text.includes('not complete')),
      manifest: { ...info.manifest, snapshots: known ? snapshots : [...snapshots, now] },
      results: [
        ...info.results.filter(({ method, name }) => method !== 'tendency' || name !== 'default'),
        { method: 'tendency', name: 'default', version: `live ${this.version}` },
      ],
    };
  }
  override result(key: string, name: ResultName): Promise<ResultBase> {
    return name.version.startsWith('live') ? Promise.resolve(this.live(key)) : super.result(key, name);
  }
  private live(source: string): TendencyResult {
    const frames = this.shown();
    const { count, labels, classes, images } = this.samples;
    return {
      format: 'epochscope-result/2',
      method: 'tendency',
      name: 'default',
      tool: { name: 'epochscope', version: '' },
      input: { source, files: {} },
      parameters: { metric: 'euclidean', marks: [], vatSide: 0, samples: count, stabilitySubsets: 0 },
      seeds: { analysis: 1 },
      seconds: frames.reduce((sum, { panel }) => sum + panel.seconds, 0),
      samples: {
        count,
        labels,
        classes,
        images: images as TendencyResult['samples']['images'],
        predictions: frames.map(({ panel, predictions }) => ({
          snapshot: panel.snapshot.id,
          classes: predictions,
        })),
      },
      panels: frames.map(({ panel }): TendencyPanel => panel),
    };
  }
}

/** A training that begins at once. */
export async function startTraining(
  options: TrainingOptions,
  data: TrainingData = BUNDLED,
): Promise<TrainingSource> {
  const worker = runWorker();
  const [{ opened, samples }, about] = await Promise.all([
    worker.call('trainingPlace', { data: data.id, options }),
    worker.call('about', undefined),
  ]);
  const source = new TrainingSource(worker, opened, workersInWords(about), options, data, samples);
  void source.go();
  return source;
}
