import { EpochscopeError } from '@epochscope/core-wasm';
import { isObject, shown } from './json.js';
import { MAX_TEXT_ITEMS, MAX_TEXT_JSON, parseJsonInPieces } from './json-pieces.js';
import type { ByteSource } from './types.js';

/** Opens a file beside another by its plain name, uses and closes it: on disk, over HTTP or from memory. */
export type OpenSibling = <T>(name: string, body: (source: ByteSource) => Promise<T>) => Promise<T>;

/** Files that one index may name. */
export const MAX_SHARDS = 10_000;

/** JSON from a source, at most 12 MB. Throws `format`. */
export async function readJson(source: ByteSource): Promise<unknown> {
  const fail = (message: string): never => {
    throw new EpochscopeError('format', `${source.name}: ${message}`, { file: source.name });
  };
  if (source.size > MAX_TEXT_JSON) fail(`expected at most ${MAX_TEXT_JSON} bytes, got ${source.size}`);
  return await parseJsonInPieces(
    new TextDecoder().decode(await source.read(0, source.size)),
    source.name,
    undefined,
    MAX_TEXT_ITEMS,
  );
}

/** A JSON object from a source. Throws `format`. */
export async function readJsonObject(source: ByteSource): Promise<Record<string, unknown>> {
  const json = await readJson(source);
  if (!isObject(json))
    throw new EpochscopeError('format', `${source.name}: expected a JSON object`, { file: source.name });
  return json;
}

/** A file name that stays in its folder. Throws `format`. */
export function siblingName(name: unknown, file: string): string {
  if (typeof name !== 'string' || !/^[^/\\\0]{1,255}$/.test(name) || name === '.' || name === '..')
    throw new EpochscopeError(
      'format',
      `${file}: expected the plain name of a file beside it, got ${shown(name)}`,
      { file },
    );
  return name;
}
