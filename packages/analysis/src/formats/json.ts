import { EpochscopeError } from '@epochscope/core-wasm';

/** JSON.parse whose failure is a `format` error that names the file. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EpochscopeError(
      'format',
      `${file}: not JSON: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
}

/** What JSON calls an object: no list, no null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
