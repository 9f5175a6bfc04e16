import type { PlannedSnapshot } from '../../run/import/index.js';
import { withStored } from '../../stores/content.js';
import { walk } from '../../stores/index-file.js';
import { splitPath } from '../../stores/paths.js';
import type { Store, StoreEntry } from '../../stores/types.js';
import { sha256 } from '../keys.js';

/** Which state of its files each snapshot is in (size and time), and how many bytes they are: from listings, so that thousands take no time. */
export async function statesOf(
  store: Store,
  snapshots: readonly PlannedSnapshot[],
): Promise<{ state: object; bytes: number }[]> {
  const listings = new Map<string, Promise<StoreEntry[] | null>>();
  const list = (folder: string) => {
    const known = listings.get(folder) ?? store.list(folder).catch(() => null);
    listings.set(folder, known);
    return known;
  };
  const states = [];
  for (const { weights, files } of snapshots) {
    const paths = [...(weights?.files ?? []), ...files.map(({ path }) => path)];
    const state: Record<string, unknown> = {};
    let bytes = 0;
    const add = (path: string, size: number, modified: number | null | undefined) => {
      state[path] = [size, modified ?? null];
      bytes += size;
    };
    if (weights && /folder$/.test(weights.kind))
      for await (const [path, { size, modified }] of walk(store, weights.path)) add(path, size, modified);
    else if (weights) {
      paths.push(weights.path);
      // Files that stand beside an index are named by it alone.
      if (['sharded', 'tfjs', 'onnx'].includes(weights.kind)) {
        const [folder] = splitPath(weights.path);
        for (const { kind, name, size, modified } of (await list(folder)) ?? [])
          if (kind === 'file') add(folder ? `${folder}/${name}` : name, size ?? 0, modified);
      }
    }
    for (const path of new Set(paths)) {
      if (state[path]) continue;
      const [folder, name] = splitPath(path);
      const entries = await list(folder);
      const entry = entries?.find((one) => one.name === name);
      if (entry) add(path, entry.size ?? 0, entry.modified);
      // What cannot be read is left out when its turn comes.
      else if (!entries)
        add(path, await withStored(store, path, async ({ size }) => size).catch(() => 0), null);
    }
    states.push({ state, bytes });
  }
  return states;
}

/** SHA-256 of plain values, typed arrays and maps in each other. */
export function hashOfTree(value: unknown): string {
  const parts: (string | ArrayBufferView)[] = [];
  const visit = (node: unknown): void => {
    if (ArrayBuffer.isView(node)) parts.push(`${node.constructor.name} ${node.byteLength}:`, node);
    else if (node instanceof Map || node instanceof Set) visit([...node]);
    else if (Array.isArray(node)) {
      parts.push(`[${node.length}`);
      for (const one of node) visit(one);
    } else if (node instanceof Error) visit(node.message);
    else if (node && typeof node === 'object') {
      const entries = Object.entries(node).filter(([, one]) => one !== undefined);
      parts.push(`{${entries.length}`);
      for (const [name, one] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
        parts.push(`${JSON.stringify(name)}:`);
        visit(one);
      }
    } else parts.push(`${typeof node} ${typeof node === 'string' ? JSON.stringify(node) : String(node)};`);
  };
  visit(value);
  return sha256(...parts);
}
