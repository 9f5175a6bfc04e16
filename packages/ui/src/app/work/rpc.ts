import { EpochscopeError, type ErrorCode, type ErrorFields } from '@epochscope/core-wasm';

// Calls across a worker's boundary: an answer each, events before it, a signal that stops it, errors with their code. Comlink, which the
// engine uses for its one call at a time, carries neither signals nor events.

interface Call {
  id: number;
  name: string;
  args: unknown;
}
type ToWorker = { call: Call } | { stop: number };
type ToPage =
  | { id: number; event: unknown }
  | { id: number; value: unknown }
  | { id: number; error: { code: ErrorCode; message: string; fields: ErrorFields } };

/** What a handler may use beside its arguments. */
export interface Context {
  signal: AbortSignal;
  /** Tells the caller something before the answer. */
  tell(event: unknown): void;
}
export type Handlers = Record<string, (args: never, context: Context) => unknown>;

/** In the worker: answers calls by name. */
export function serve(handlers: Handlers, scope: Pick<Worker, 'postMessage' | 'addEventListener'>): void {
  const running = new Map<number, AbortController>();
  scope.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    if ('stop' in data) {
      running.get(data.stop)?.abort();
      return;
    }
    const { id, name, args } = data.call;
    const stopping = new AbortController();
    running.set(id, stopping);
    const post = (message: ToPage) => scope.postMessage(message);
    const work = async () => {
      const handler = handlers[name];
      if (!handler) throw new EpochscopeError('internal', `a worker has no ${name}`);
      return handler(args as never, { signal: stopping.signal, tell: (event) => post({ id, event }) });
    };
    work()
      .then((value) => post({ id, value }))
      .catch((cause: Error) => {
        const own = cause instanceof EpochscopeError ? cause : null;
        // Fields are plain values; what cannot be posted is left out rather than the error lost.
        const error = { code: own?.code ?? ('internal' as const), message: cause.message, fields: {} };
        try {
          post({ id, error: { ...error, fields: own?.fields ?? {} } });
        } catch {
          post({ id, error });
        }
      })
      .finally(() => running.delete(id));
  });
}

export interface CallOptions {
  signal?: AbortSignal;
  onEvent?: (event: never) => void;
}

/** In the page: a worker whose calls are promises. */
export class Remote {
  private readonly waiting = new Map<
    number,
    { done: (value: never) => void; fail: (error: Error) => void; onEvent: CallOptions['onEvent'] }
  >();
  private count = 0;
  private died: Error | null = null;

  constructor(private readonly worker: Worker) {
    worker.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
      const call = this.waiting.get(data.id);
      if (!call) return;
      if ('event' in data) {
        call.onEvent?.(data.event as never);
        return;
      }
      this.waiting.delete(data.id);
      if ('error' in data) {
        const { code, message, fields } = data.error;
        call.fail(new EpochscopeError(code, message, fields));
      } else call.done(data.value as never);
    });
    worker.addEventListener('error', (event) => {
      this.died = new EpochscopeError(
        'internal',
        event.message ? `a worker ended: ${event.message}` : 'a worker could not be loaded',
      );
      for (const { fail } of this.waiting.values()) fail(this.died);
      this.waiting.clear();
    });
  }

  call<T>(name: string, args: unknown, { signal, onEvent }: CallOptions = {}): Promise<T> {
    if (this.died) return Promise.reject(this.died);
    const id = this.count++;
    return new Promise<T>((done, fail) => {
      this.waiting.set(id, { done: done as never, fail, onEvent });
      const stop = () => this.worker.postMessage({ stop: id } satisfies ToWorker);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        this.worker.postMessage({ call: { id, name, args } } satisfies ToWorker);
      } catch (cause) {
        this.waiting.delete(id);
        fail(cause as Error);
        return;
      }
      if (signal?.aborted) stop();
    });
  }
  close(): void {
    this.worker.terminate();
  }
}
