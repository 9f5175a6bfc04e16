import { EpochscopeError } from '@epochscope/core-wasm';
import {
  expose,
  proxy,
  type Remote,
  releaseProxy,
  transferHandlers,
  wrap,
} from 'comlink/dist/esm/comlink.mjs';
import { createAnswers } from './answers.js';
import { carryErrors } from './errors.js';

// Calls of a worker through Comlink that take long: each with a signal that stops it and events before its answer.

/** What a call may use beside its arguments. */
export interface CallContext {
  signal: AbortSignal;
  /** Tells the caller something before the answer; may arrive a moment after it. */
  tell(event: unknown): void;
}
/** A worker's calls by name. Arguments and answers are what can be posted. */
// biome-ignore lint/suspicious/noExplicitAny: only `any` takes functions of every argument.
export type Calls = Record<string, (args: any, context: CallContext) => unknown>;

export interface CallOptions {
  signal?: AbortSignal;
  onEvent?: (event: never) => void;
}
type Posted = (args: unknown, signal: AbortSignal | null, tell: ((event: unknown) => void) | null) => unknown;

const ports = new WeakMap<AbortSignal, MessagePort>();
/** Makes Comlink carry signals, by a port each. */
function carrySignals(): void {
  transferHandlers.set('signal', {
    canHandle: ((value: unknown) => value instanceof AbortSignal) as never,
    serialize(signal: AbortSignal): [{ aborted: boolean; port: MessagePort }, Transferable[]] {
      const { port1, port2 } = new MessageChannel();
      signal.addEventListener('abort', () => port1.postMessage(null), { once: true });
      return [{ aborted: signal.aborted, port: port2 }, [port2]];
    },
    deserialize({ aborted, port }: { aborted: boolean; port: MessagePort }): AbortSignal {
      const stopping = new AbortController();
      if (aborted) stopping.abort();
      port.onmessage = () => stopping.abort();
      ports.set(stopping.signal, port);
      return stopping.signal;
    },
  });
}

function carry(): void {
  carryErrors();
  carrySignals();
}

/** In a worker: answers calls. Errors keep class, code and fields. */
export function exposeCalls(calls: Calls): void {
  carry();
  const answered =
    (call: Calls[string]): Posted =>
    async (args, signal, tell) => {
      try {
        return await call(args, {
          signal: signal ?? new AbortController().signal,
          tell: (event) => void tell?.(event),
        });
      } finally {
        if (signal) ports.get(signal)?.close();
        (tell as unknown as Remote<object> | null)?.[releaseProxy]();
      }
    };
  expose(Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, answered(call)])));
}

/** A worker whose calls are promises. They reject as the call does, and when the worker dies. */
export interface RemoteCalls<C extends Calls> {
  call<N extends keyof C & string>(
    name: N,
    args: Parameters<C[N]>[0],
    how?: CallOptions,
  ): Promise<Awaited<ReturnType<C[N]>>>;
  close(): void;
}

export function remoteCalls<C extends Calls>(worker: Worker): RemoteCalls<C> {
  carry();
  const calls = wrap<Record<string, Posted>>(worker);
  const answers = createAnswers();
  worker.addEventListener(
    'error',
    ({ message }) =>
      answers.end(
        new EpochscopeError(
          'internal',
          message ? `a worker ended: ${message}` : 'a worker could not be loaded',
        ),
      ),
    { once: true },
  );
  return {
    call: (name, args, { signal, onEvent } = {}) =>
      answers.await(calls[name]!(args, signal ?? null, onEvent ? (proxy(onEvent) as never) : null)) as never,
    close: () => worker.terminate(),
  };
}
