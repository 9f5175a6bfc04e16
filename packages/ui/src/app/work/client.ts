import { type RemoteCalls, remoteCalls } from '@epochscope/analysis';
import type { Tensor } from '@epochscope/analysis/formats';
import type { ResultBase, TendencyResult } from '@epochscope/analysis/results';
import type { Computing, JobProgress } from '../jobs.js';
import type { ResultName, RunEntry, RunInfo, RunSource } from '../source.js';
import type { Given, MatrixFacts, MatrixOptions, Opened, TrainingData } from './types.js';
import type { RunWorkerCalls } from './worker.js';

export type RunWorker = RemoteCalls<RunWorkerCalls>;
let remote: RunWorker | null = null;
/** The run worker, started when it is first needed. */
export function runWorker(): RunWorker {
  remote ??= remoteCalls<RunWorkerCalls>(
    new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'epochscope' }),
  );
  return remote;
}
export const workersInWords = ({ threads, shared }: { threads: number; shared: boolean }) =>
  shared && threads > 1 ? `${threads} workers that share memory` : 'one worker';

/** Opens what a person gave. Throws as the store or the import does. */
export async function openGiven(given: Given): Promise<WorkSource | MatrixSource | TrainingData> {
  const worker = runWorker();
  const [opened, about] = await Promise.all([worker.call('open', given), worker.call('about', undefined)]);
  if (opened.kind === 'digits') return { id: opened.id, name: opened.name, images: opened.images! };
  return opened.kind === 'matrix'
    ? new MatrixSource(worker, opened)
    : new WorkSource(worker, opened, workersInWords(about));
}

interface Events {
  progress?: JobProgress;
  note?: string;
}

/** Runs in the run worker: read there, computed there. */
export class WorkSource implements RunSource {
  readonly computing: Computing;
  private readonly watchers = new Set<(key: string) => void>();
  private readonly results = new Map<string, Promise<ResultBase>>();

  constructor(
    protected readonly worker: RunWorker,
    readonly opened: Opened,
    workers: string,
  ) {
    const { id, keeps, volatile } = opened;
    this.computing = {
      workers,
      keeps,
      volatile,
      plan: (key, workflow, options) => worker.call('plan', { id, key, workflow, options }),
      compute: (key, workflow, options, { signal, onProgress, onNote }) =>
        worker.call(
          'compute',
          { id, key, workflow, options },
          {
            signal,
            onEvent: ({ progress, note }: Events) => {
              if (progress) onProgress(progress);
              if (note) onNote(note);
            },
          },
        ),
      zip: (key) => worker.call('zip', { id, key }),
      samplesOf: (file, shape) => worker.call('samplesOf', { file, shape }),
    };
  }
  get notes(): readonly string[] {
    return this.opened.notes;
  }
  runs(): Promise<RunEntry[]> {
    return this.worker.call('runs', { id: this.opened.id });
  }
  async run(key: string): Promise<RunInfo> {
    const info = await this.worker.call('run', { id: this.opened.id, key });
    return { ...info, warnings: [...this.notes, ...info.warnings] };
  }
  result(key: string, name: ResultName): Promise<ResultBase> {
    const place = [key, name.method, name.name, name.version].join('\n');
    let found = this.results.get(place);
    if (!found) {
      found = this.worker.call('result', { id: this.opened.id, key, ...name });
      found.catch(() => this.results.delete(place));
      this.results.set(place, found);
    }
    return found;
  }
  weights(key: string, snapshot: string): Promise<Map<string, Tensor>> {
    return this.worker.call('weights', { id: this.opened.id, key, snapshot });
  }
  watch(key: string, changed: () => void): () => void {
    const watcher = (one: string) => one === key && changed();
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
  changed(key: string): void {
    for (const watcher of this.watchers) watcher(key);
  }
}

/** One file of rows: a result that is computed anew whenever its options change. */
export class MatrixSource extends EventTarget implements RunSource {
  facts: MatrixFacts | null = null;
  progress: JobProgress | null = null;
  problem = '';
  seconds = 0;
  private result_: TendencyResult | null = null;
  private version = 0;
  private stopping: AbortController | null = null;
  private readonly watchers = new Set<() => void>();

  constructor(
    private readonly worker: RunWorker,
    readonly opened: Opened,
  ) {
    super();
  }
  private tell(): void {
    this.dispatchEvent(new Event('change'));
  }
  get busy(): boolean {
    return this.stopping !== null;
  }

  /** What the file holds with these options, and what its analysis takes. */
  async look(options: MatrixOptions): Promise<MatrixFacts> {
    this.facts = await this.worker.call('matrixFacts', { id: this.opened.id, options });
    this.tell();
    return this.facts;
  }
  stop(): void {
    this.stopping?.abort();
  }
  /** Computes; the newest wish alone counts. */
  async analyse(options: MatrixOptions): Promise<void> {
    this.stop();
    const stopping = new AbortController();
    this.stopping = stopping;
    this.problem = '';
    this.progress = null;
    this.tell();
    const begun = performance.now();
    try {
      await this.look(options);
      const result = await this.worker.call(
        'analyseMatrix',
        { id: this.opened.id, options },
        {
          signal: stopping.signal,
          onEvent: ({ progress }: Events) => {
            if (this.stopping !== stopping || !progress) return;
            this.progress = progress;
            this.tell();
          },
        },
      );
      if (this.stopping !== stopping) return;
      this.result_ = result;
      this.version++;
      this.seconds = (performance.now() - begun) / 1000;
      for (const watcher of this.watchers) watcher();
    } catch (error) {
      if (this.stopping === stopping)
        this.problem =
          (error as { code?: string }).code === 'cancelled' ? 'Stopped.' : (error as Error).message;
    } finally {
      if (this.stopping === stopping) this.stopping = null;
      this.tell();
    }
  }
  get tendency(): TendencyResult | null {
    return this.result_;
  }

  async runs(): Promise<RunEntry[]> {
    return [{ key: this.opened.name, title: this.opened.name, problem: null }];
  }
  async run(key: string): Promise<RunInfo> {
    const name = { method: 'tendency', name: 'default', version: String(this.version) };
    return { key, manifest: null, warnings: [], results: this.result_ ? [name] : [] };
  }
  async result(): Promise<ResultBase> {
    if (!this.result_) throw new Error('nothing was computed yet');
    return this.result_;
  }
  watch(_key: string, changed: () => void): () => void {
    this.watchers.add(changed);
    return () => this.watchers.delete(changed);
  }
}
