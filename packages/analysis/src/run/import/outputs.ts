import { guard } from '@epochscope/core-wasm';
import { dtypeOf, losslessly } from '../../formats/dtypes.js';
import { byName } from '../../formats/natural.js';
import { readNpy, readNpyHeader } from '../../formats/npy.js';
import type { Tensor } from '../../formats/types.js';
import { withStored } from '../../stores/content.js';
import { joinPath, shown, splitPath } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';
import { isSafeName } from '../manifest.js';
import type { LayerInfo } from '../types.js';

/** Files walked through for a pattern. */
const MAX_FILES = 200_000;

export interface OutputFile {
  epoch: number | null;
  step: number | null;
  layer: string;
  /** In the store. */
  path: string;
}

/**
 * Finds .npy files by a pattern such as "acts/epoch_{epoch}/{layer}.npy": {epoch} or {step} is a whole number, {layer} any
 * name. In the order of numbers, then names. Throws `argument` for a pattern without {layer}, `missing` where none fits.
 */
export async function findOutputs(store: Store, pattern: string): Promise<OutputFile[]> {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.');
  guard(
    pattern.includes('{layer}') &&
      !pattern.startsWith('/') &&
      !parts.includes('..') &&
      pattern.endsWith('.npy'),
    'argument',
    () =>
      `outputs: expected a pattern such as "epoch_{epoch}/{layer}.npy" within ${store.name}, got ${JSON.stringify(pattern)}`,
  );
  const names: string[] = [];
  const expressions = parts.map(
    (part) =>
      new RegExp(
        `^${part.replace(/[.*+?^$()|[\]\\]|\{(\w+)\}|[{}]/g, (text, name: string | undefined) => {
          if (name === undefined) return `\\${text}`;
          guard(
            ['epoch', 'step', 'layer'].includes(name) && !names.includes(name),
            'argument',
            () => `outputs: expected {epoch}, {step} and {layer}, each once, got {${name}}`,
          );
          names.push(name);
          return `(?<${name}>${name === 'layer' ? '.+' : '\\d{1,15}'})`;
        })}$`,
      ),
  );
  const found: OutputFile[] = [];
  let seen = 0;
  const walk = async (folder: string, depth: number, values: Record<string, string>): Promise<void> => {
    const entries = await store.list(folder);
    seen += entries.length;
    guard(
      seen <= MAX_FILES,
      'format',
      () => `${store.name}: expected at most ${MAX_FILES} files for a pattern`,
    );
    for (const entry of entries) {
      const match = expressions[depth]!.exec(entry.name);
      if (!match) continue;
      const here = { ...values, ...match.groups };
      const path = joinPath(folder, entry.name);
      if (depth < expressions.length - 1) {
        if (entry.kind === 'folder') await walk(path, depth + 1, here);
      } else if (entry.kind === 'file') {
        const number = (name: string) => (here[name] === undefined ? null : Number(here[name]));
        found.push({ epoch: number('epoch'), step: number('step'), layer: here.layer!, path });
      }
    }
  };
  await walk('', 0, {});
  guard(found.length > 0, 'missing', () => `${store.name} holds no file that fits ${pattern}`, {
    path: store.name,
  });
  const key = ({ epoch, step }: OutputFile) => epoch ?? step ?? 0;
  return found.sort((a, b) => key(a) - key(b) || byName(a.layer, b.layer));
}

/** Every .npy in a snapshot's own folder of outputs. */
export async function outputsOfFolder(store: Store, folder: string): Promise<OutputFile[]> {
  const names = (await store.list(folder)).map(({ name }) => name).filter((name) => name.endsWith('.npy'));
  return names.sort(byName).map((name) => ({
    epoch: null,
    step: null,
    layer: name.slice(0, -'.npy'.length),
    path: joinPath(folder, name),
  }));
}

/** Layers that outputs make known: shape of one sample, and how many samples there are. Throws `shape`, `format`. */
export async function describeOutputs(
  store: Store,
  files: readonly OutputFile[],
): Promise<{ layers: LayerInfo[]; samples: number | null }> {
  const layers = new Map<string, LayerInfo>();
  let samples: { count: number; path: string } | null = null;
  for (const { layer, path: inside } of files) {
    const path = shown(store, inside);
    guard(
      isSafeName(layer),
      'format',
      () => `${path}: expected a plain layer name, got ${JSON.stringify(layer)}`,
      {
        path,
      },
    );
    const { shape } = await withStored(store, inside, readNpyHeader);
    guard(
      shape.length >= 1 && shape.length <= 8,
      'shape',
      () => `${path}: expected samples × values, got shape [${shape}]`,
      {
        path,
      },
    );
    const one = shape.length === 1 ? [1] : shape.slice(1);
    const known = layers.get(layer);
    guard(
      !known || known.shape.join() === one.join(),
      'shape',
      () => `${path}: layer ${layer} has shape [${known?.shape}] elsewhere, got [${one}]`,
      { path },
    );
    samples ??= { count: shape[0]!, path };
    guard(
      samples.count === shape[0],
      'shape',
      () =>
        `${path}: expected ${samples!.count} samples as in ${splitPath(samples!.path)[1]}, got ${shape[0]}`,
      { path, expected: samples.count, got: shape[0] },
    );
    const kind = /^log_?-?(softmax|prob)/i.test(layer) ? 'log-softmax' : 'output';
    layers.set(layer, { name: layer, kind, shape: one, parameters: [] });
  }
  // Predictions are read off the last layer.
  const list = [...layers.values()];
  return {
    layers: [
      ...list.filter(({ kind }) => kind === 'output'),
      ...list.filter(({ kind }) => kind !== 'output'),
    ],
    samples: samples?.count ?? null,
  };
}

/** One layer's outputs, n × shape: as float32 where that holds every value, else as float64 or 64-bit integers. */
export async function readOutput(store: Store, path: string): Promise<Tensor> {
  const tensor = await withStored(store, path, readNpy);
  const data = losslessly(tensor.data);
  return {
    data,
    shape: tensor.shape.length === 1 ? [tensor.shape[0]!, 1] : tensor.shape,
    dtype: dtypeOf(data),
  };
}
