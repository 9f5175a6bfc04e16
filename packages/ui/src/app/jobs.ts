import type { ResultName, RunSource } from './source.js';

/** How far a computation is, as workflows tell it. */
export interface JobProgress {
  share: number;
  stage: string;
  title: string;
  secondsLeft: number | null;
}

/** What a page computes with. Everything heavy is in workers; these calls only wait. */
export interface Computing {
  /** In words: "2 workers that share memory". */
  readonly workers: string;
  /** Where results go, in words: "this folder", "this page, to be saved". */
  readonly keeps: string;
  /** Whether what was computed leaves with the page unless it is saved as a zip. */
  readonly volatile: boolean;
  /** Sizes the work up without doing it. */
  plan(
    key: string,
    workflow: string,
    options: object,
  ): Promise<{ parts: number; memory: number; notes: string[] }>;
  /** Computes, and keeps the result in the run. Rejects with `cancelled` when the signal stops it. */
  compute(
    key: string,
    workflow: string,
    options: object,
    how: { signal: AbortSignal; onProgress: (progress: JobProgress) => void; onNote: (text: string) => void },
  ): Promise<ResultName>;
  /** Values of the samples in a file, where they are of the shape a net takes; null for another file. */
  samplesOf(file: File, shape: readonly number[]): Promise<number[] | null>;
  /** The run with all its results, as the command line reads it. */
  zip(key: string): Promise<Blob>;
}

/** One computation, alive while its panel is not looked at. */
export class Job extends EventTarget {
  state: 'running' | 'done' | 'failed' | 'stopped' = 'running';
  progress: JobProgress | null = null;
  why = '';
  notes: string[] = [];
  private readonly stopping = new AbortController();
  readonly done: Promise<ResultName | null>;

  constructor(computing: Computing, key: string, workflow: string, options: object) {
    super();
    this.done = computing
      .compute(key, workflow, options, {
        signal: this.stopping.signal,
        onProgress: (progress) => {
          this.progress = progress;
          this.tell();
        },
        onNote: (text) => {
          this.notes = [...this.notes, text];
          this.tell();
        },
      })
      .then(
        (name) => {
          this.state = 'done';
          this.tell();
          return name;
        },
        (error: Error & { code?: string }) => {
          this.state = error.code === 'cancelled' ? 'stopped' : 'failed';
          this.why = error.message;
          this.tell();
          return null;
        },
      );
  }
  private tell(): void {
    this.dispatchEvent(new Event('change'));
  }
  stop(): void {
    this.stopping.abort();
  }
}

const running = new WeakMap<RunSource, Map<string, Job>>();
/** The last job of each run and method of a source. */
export function jobsOf(source: RunSource): Map<string, Job> {
  let jobs = running.get(source);
  if (!jobs) running.set(source, (jobs = new Map()));
  return jobs;
}

/** "2 min", "40 s". */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
/** "4 MB". */
export const bytes = (size: number): string =>
  size < 1e6
    ? `${Math.max(1, Math.round(size / 1e3))} kB`
    : size < 1e9
      ? `${Math.round(size / 1e6)} MB`
      : `${(size / 1e9).toFixed(1)} GB`;
