import { join } from 'node:path';
import {
  createEngine,
  encodeNpy,
  encodeSafetensors,
  findRegions,
  type PruneResult,
  type Tensor,
} from '@epochscope/analysis';
import { writeFileWhole } from '../files.js';

/** What is kept of each unit, as a sparse matrix by unit: input indices[indptr[u] … indptr[u+1]] with their values. */
export function sparseByUnit(mask: Uint8Array, weights: Float32Array, units: number) {
  const indptr = new Uint32Array(units + 1);
  for (let i = 0; i < mask.length; i++) if (mask[i]) indptr[(i % units) + 1]!++;
  for (let u = 0; u < units; u++) indptr[u + 1]! += indptr[u]!;
  const indices = new Uint32Array(indptr[units]!);
  const values = new Float32Array(indices.length);
  const next = indptr.slice();
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const at = next[i % units]!++;
    indices[at] = Math.floor(i / units);
    values[at] = weights[i]!;
  }
  return { indptr, indices, values };
}

/**
 * Files people load, beside result.json: `mask.npy` (uint8, the tensor's own shape, 1 = kept) and `pruned.safetensors`
 * with, under the layer's name, `kernel` and the layer's other tensors, `mask`; `indptr`, `indices`, `values` (what each
 * unit keeps, sparse by unit); `regions` (uint32[pictures, height, width], 0 or the region's number in its picture) and
 * `region_index` (float32, same shape: mean |w| of the pixel's region).
 */
export async function writePruneFiles(
  folder: string,
  result: PruneResult,
  weights: ReadonlyMap<string, Tensor>,
  shape: readonly number[],
): Promise<string[]> {
  const { layout, options } = result;
  const last = result.rounds[result.rounds.length - 1]!;
  const engine = createEngine();
  try {
    const found = await findRegions(last.weights, last.mask, layout, engine, options);
    const [height, width] = layout.inputShape;
    const pictures = found.offsets.length - 1;
    const pixels = height * width;
    const index = Float32Array.from(found.labels, (label, at) =>
      label ? found.index[found.offsets[Math.floor(at / pixels)]! + label - 1]! : 0,
    );
    const { indptr, indices, values } = sparseByUnit(last.mask, last.weights, layout.units);
    const place = [pictures, height, width];
    const tensors = new Map<string, Tensor>(
      [...weights].filter(([name]) => name.startsWith(`${layout.layer}.`)),
    );
    const add = (name: string, data: Uint8Array | Uint32Array | Float32Array, sides: readonly number[]) =>
      tensors.set(`${layout.layer}.${name}`, {
        data,
        shape: sides,
        dtype: data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'uint32',
      });
    // Four-byte tensors first: the mask's length need not be a multiple of 4.
    add('indptr', indptr, [indptr.length]);
    add('indices', indices, [indices.length]);
    add('values', values, [values.length]);
    add('regions', found.labels, place);
    add('region_index', index, place);
    add('mask', last.mask, shape);
    await writeFileWhole(
      join(folder, 'pruned.safetensors'),
      encodeSafetensors(tensors, { format: 'epochscope-pruned/1', layer: layout.layer }),
    );
    await writeFileWhole(join(folder, 'mask.npy'), encodeNpy(last.mask, shape));
    return ['mask.npy', 'pruned.safetensors'];
  } finally {
    await engine.close();
  }
}
