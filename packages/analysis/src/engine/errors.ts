import { EpochscopeError, type ErrorCode, type ErrorFields } from '@epochscope/core-wasm';
import { transferHandlers } from 'comlink/dist/esm/comlink.mjs';

interface Thrown {
  value: unknown;
}
interface Posted {
  error: { message: string; code: ErrorCode; fields: ErrorFields; stack?: string } | null;
  value?: unknown;
}

/** Makes Comlink carry errors with class, code and fields. Called once on each side. */
export function carryErrors(): void {
  const original = transferHandlers.get('throw')!;
  transferHandlers.set('throw', {
    canHandle: original.canHandle as never,
    serialize({ value }: Thrown): [Posted, Transferable[]] {
      if (!(value instanceof Error)) return [{ error: null, value }, []];
      const ours = value instanceof EpochscopeError ? value : null;
      const message = ours ? value.message : `a worker failed: ${value.message}`;
      return [
        {
          error: { message, code: ours?.code ?? 'internal', fields: ours?.fields ?? {}, stack: value.stack },
        },
        [],
      ];
    },
    deserialize({ error, value }: Posted): never {
      if (!error) throw value;
      const thrown = new EpochscopeError(error.code, error.message, error.fields);
      if (error.stack) thrown.stack = error.stack;
      throw thrown;
    },
  });
}
