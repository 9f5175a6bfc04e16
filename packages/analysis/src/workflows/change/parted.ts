import { guard } from '@epochscope/core-wasm';
import { elementCount, toFloat32 } from '../../formats/dtypes.js';
import type { PartedTensor, TensorPart } from '../../methods/change/index.js';
import type { FileIdentity } from '../../results/types.js';
import type { Run, SnapshotInfo } from '../../run/types.js';
import { indexFromFile, type SnapshotWeights } from '../../run/weights.js';
import { checkNotCancelled } from '../run.js';

/** Values of one snapshot that are read at a time. */
const PART = 1 << 20;

/** The tensors of several snapshots in parts; their files are open meanwhile. `named`: whose files' identities are told in `reads`. Throws `shape` where snapshots hold different ones. */
export async function withParted<T>(
  run: Run,
  snapshots: readonly SnapshotInfo[],
  { layers }: { layers: readonly string[] | null },
  { named, reads }: { named: ReadonlySet<string>; reads: Record<string, FileIdentity> },
  signal: AbortSignal | undefined,
  body: (tensors: PartedTensor[]) => Promise<T>,
): Promise<T> {
  const opened: SnapshotWeights[] = [];
  try {
    for (const { id } of snapshots) opened.push(await run.openWeights(id, named.has(id) ? { reads } : {}));
    const own = layers && new Set(layers.flatMap((layer) => run.layer(layer).parameters));
    const names = [...opened[0]!.tensors.keys()].filter((name) => !own || own.has(name));
    checkAlike(opened, snapshots, names, own === null);
    return await body(names.map((name) => parted(opened, name, signal)));
  } finally {
    for (const weights of opened) await weights.close();
  }
}

function checkAlike(
  opened: readonly SnapshotWeights[],
  snapshots: readonly SnapshotInfo[],
  names: readonly string[],
  all: boolean,
): void {
  const first = opened[0]!.tensors;
  for (const [s, { tensors }] of opened.entries()) {
    const odd = names.find((name) => tensors.get(name)?.shape.join() !== first.get(name)!.shape.join());
    guard(
      odd === undefined && (!all || tensors.size === first.size),
      'shape',
      () =>
        odd === undefined
          ? `snapshots ${snapshots[0]!.id} and ${snapshots[s]!.id} hold ${first.size} and ${tensors.size} tensors`
          : `tensor ${odd} is [${first.get(odd)!.shape}] in snapshot ${snapshots[0]!.id} and ${tensors.has(odd) ? `[${tensors.get(odd)!.shape}]` : 'not there'} in ${snapshots[s]!.id}`,
      { from: snapshots[0]!.id, to: snapshots[s]!.id },
    );
  }
}

function parted(opened: readonly SnapshotWeights[], name: string, signal?: AbortSignal): PartedTensor {
  const place = opened[0]!.tensors.get(name)!;
  const size = elementCount(place.shape);
  // Some copied, some linked: no part of one holds the values of a part of the other.
  const alike = opened.every(({ tensors }) => tensors.get(name)!.axes?.join() === place.axes?.join());
  const index = indexFromFile(place);
  async function* parts(): AsyncGenerator<TensorPart> {
    checkNotCancelled(signal, `reading ${name} was cancelled`);
    if (!alike)
      yield { index: (at) => at, values: async (s) => toFloat32((await opened[s]!.read(name)).data) };
    else
      for (let from = 0; from < size; from += PART) {
        checkNotCancelled(signal, `reading ${name} was cancelled`);
        yield {
          index: (at) => index(from + at),
          values: (s) => opened[s]!.span(name, from, Math.min(size, from + PART)),
        };
      }
  }
  return { name, shape: place.shape, size, parts, at: (s, indices) => opened[s]!.values(name, indices) };
}
