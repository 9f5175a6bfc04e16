import {
  labelsOf,
  readCsv,
  readNpy,
  readNpz,
  readSafetensors,
  type Tensor,
  withFile,
} from '@epochscope/analysis';
import { EpochscopeError, guard } from '@epochscope/core-wasm';

/** Endings of files that hold arrays. */
export const ARRAY_ENDINGS = ['.npy', '.npz', '.csv', '.safetensors'] as const;

/** "file.npz:name" → the file and the name of one of its arrays, if one is named. */
export function splitArrayPath(path: string): { file: string; wanted: string | undefined } {
  const match = /^(.*\.(?:npz|safetensors))(?::(.+))?$/.exec(path);
  return { file: match?.[1] ?? path, wanted: match?.[2] };
}

/**
 * One array of a file: .npy, .csv, or .npz and .safetensors, where "file.npz:name" chooses one of several.
 * Throws `unsupported` for another ending, `missing` naming the arrays there are.
 */
export async function readArrayFile(path: string): Promise<Tensor> {
  const { file, wanted } = splitArrayPath(path);
  const ending = ARRAY_ENDINGS.find((end) => file.endsWith(end));
  if (!ending)
    throw new EpochscopeError(
      'unsupported',
      `${path}: expected a file ending in ${ARRAY_ENDINGS.join(', ')}`,
      { file: path },
    );
  if (ending === '.npy') return withFile(file, readNpy);
  if (ending === '.csv') {
    const { matrix } = await withFile(file, (source) => readCsv(source));
    return { data: matrix.data, shape: [...matrix.shape], dtype: 'float64' };
  }
  const arrays = await withFile(file, ending === '.npz' ? readNpz : readSafetensors);
  const names = [...arrays.keys()];
  const name = wanted ?? names[0];
  guard(
    name !== undefined && (wanted !== undefined || names.length === 1),
    'missing',
    () =>
      `${file} holds ${names.length ? `the arrays ${names.join(', ')}; choose one as ${file}:${names[0]}` : 'no array'}`,
    { file: file },
  );
  const found = arrays.get(name);
  guard(found, 'missing', () => `${file} holds no array ${name}; it holds ${names.join(', ')}`, {
    file: file,
    name,
  });
  return found;
}

/** Whole numbers ≥ 0, one a row: a list, or a table of one column. */
export async function readLabelsFile(path: string): Promise<Uint32Array> {
  const tensor = await readArrayFile(path);
  const { shape } = tensor;
  return labelsOf(shape.length === 2 && shape[1] === 1 ? { ...tensor, shape: [shape[0]!] } : tensor, path);
}
