import { withFile } from '@epochscope/analysis';
import type { Hierarchy } from '@epochscope/analysis/methods';
import { EpochscopeError, guard } from '@epochscope/core-wasm';

/** Reads a class hierarchy: JSON of nested lists. Throws `format`. */
export async function readHierarchy(file: string): Promise<Hierarchy> {
  const text = await withFile(file, async (source) =>
    new TextDecoder().decode(await source.read(0, source.size)),
  );
  const check = (node: unknown, depth: number): void => {
    guard(depth < 100, 'format', () => `${file}: lists nested more than 100 deep`, { file });
    if (typeof node === 'string' || typeof node === 'number') return;
    guard(
      Array.isArray(node) && node.length > 0,
      'format',
      () =>
        `${file}: expected nested lists of class names, got ${Array.isArray(node) ? 'an empty list' : node === null ? 'null' : typeof node === 'object' ? 'an object' : node}`,
      { file },
    );
    for (const part of node) check(part, depth + 1);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new EpochscopeError(
      'format',
      `${file}: not JSON: ${(cause as Error).message}`,
      { file },
      { cause },
    );
  }
  check(json, 0);
  return json as Hierarchy;
}
