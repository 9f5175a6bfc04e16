import { EpochscopeError } from '@epochscope/core-wasm';
import { rest } from './budget.js';
import { type Hdf5Dataset, type Hdf5Group, readHdf5, readHdf5Dataset } from './hdf5/index.js';
import { MAX_TEXT_JSON, parseJsonInPieces } from './json-pieces.js';
import { byName } from './natural.js';
import { bytesSource } from './source.js';
import type { ByteSource, Tensor } from './types.js';
import { readZipDirectory, readZipEntry, type ZipKind } from './zip.js';

// Three layouts: Keras 3's .weights.h5 ("layers/dense_1/vars/0"), its .keras zip (config.json and such a file), and the
// HDF5 of Keras 1 and 2 and of model.save("x.h5") ("model_weights/dense/dense/kernel:0", in "layer_names" order).

const ZIP: ZipKind = { file: 'a .keras file', item: 'entry', nameOf: (path) => path, expected: 'files' };

export interface KerasFile {
  /** "<layer>/<variable>" → where it lies, in the model's order where the file says it. */
  weights: Map<string, Hdf5Dataset>;
  /** Layer → class as Keras names it ("Conv2D"), where the file says it. */
  classes: Map<string, string>;
  /** The architecture as model.to_json() gives it; null for weights alone. */
  config: unknown;
  /** Where the datasets lie. */
  source: ByteSource;
}

/** Describes a Keras file of any of the three layouts; reads no weights. Throws `format`, `unsupported`. */
export async function readKerasFile(source: ByteSource): Promise<KerasFile> {
  const start = await source.read(0, Math.min(4, source.size));
  return start[0] === 0x50 && start[1] === 0x4b ? readKerasZip(source) : readKerasHdf5(source, null);
}

/** All weights by "<layer>/<variable>". */
export async function readKerasWeights(source: ByteSource): Promise<Map<string, Tensor>> {
  const file = await readKerasFile(source);
  const tensors = new Map<string, Tensor>();
  for (const [name, dataset] of file.weights) {
    tensors.set(name, await readHdf5Dataset(file.source, dataset));
    await rest(source.name);
  }
  return tensors;
}

async function readKerasZip(source: ByteSource): Promise<KerasFile> {
  const fail = (message: string): never => {
    throw new EpochscopeError('format', `${source.name}: ${message}`, { file: source.name });
  };
  const zip = await readZipDirectory(source, ZIP);
  const config = zip.get('config.json') ?? fail('expected config.json in a .keras file');
  const weights = zip.get('model.weights.h5') ?? fail('expected model.weights.h5 in a .keras file');
  if (config.unpacked > MAX_TEXT_JSON)
    fail(`config.json: expected at most ${MAX_TEXT_JSON} bytes, got ${config.unpacked}`);
  const json = await parseJsonInPieces(
    new TextDecoder().decode(await readZipEntry(source, config)),
    `${source.name}:config.json`,
  );
  const inner = bytesSource(`${source.name}:model.weights.h5`, await readZipEntry(source, weights));
  return readKerasHdf5(inner, json);
}

async function readKerasHdf5(source: ByteSource, config: unknown): Promise<KerasFile> {
  const root = await readHdf5(source);
  const old = [root.groups.get('model_weights'), root].find(
    (group) => group && listAttribute(group, 'layer_names'),
  );
  if (old) {
    const text = root.attributes.get('model_config');
    const read =
      typeof text === 'string' ? await parseJsonInPieces(text, `${source.name}: model_config`) : config;
    const version = root.attributes.get('keras_version') ?? old.attributes.get('keras_version');
    const own = withVersion(read, version);
    return { ...oldLayout(old, source), classes: classesOf(own), config: own, source };
  }
  const classes = classesOf(config);
  const weights = newLayout(root, classes, configsOf(config), source);
  if (!weights.size)
    throw new EpochscopeError('format', `${source.name}: expected the weights of a Keras model, found none`, {
      file: source.name,
    });
  return { weights, classes, config, source };
}

/** Which Keras wrote it: some names mean something else in another. */
const withVersion = (config: unknown, version: unknown): unknown =>
  typeof config === 'object' && config !== null && typeof version === 'string'
    ? { keras_version: version, ...config }
    : config;

/** An attribute of texts; long lists are spread over name0, name1, … */
function listAttribute(group: Hdf5Group, name: string): string[] | null {
  const whole = group.attributes.get(name);
  if (Array.isArray(whole)) return whole.map(String);
  const parts: string[] = [];
  for (let i = 0; Array.isArray(group.attributes.get(`${name}${i}`)); i++)
    parts.push(...(group.attributes.get(`${name}${i}`) as string[]).map(String));
  return parts.length ? parts : null;
}

function oldLayout(group: Hdf5Group, source: ByteSource): { weights: Map<string, Hdf5Dataset> } {
  const weights = new Map<string, Hdf5Dataset>();
  for (const layer of listAttribute(group, 'layer_names')!) {
    const inside = group.groups.get(layer);
    for (const path of (inside && listAttribute(inside, 'weight_names')) ?? []) {
      const dataset = at(inside!, path.split('/'));
      if (!dataset)
        throw new EpochscopeError(
          'format',
          `${source.name}: layer ${layer} names a weight ${path} that is not there`,
          {
            file: source.name,
            tensor: path,
          },
        );
      // "conv/kernel:0", or with the model's name before: "net/conv/kernel"; inner models keep their own layers' names.
      const name = path.replace(/:\d+$/, '');
      const own = name.lastIndexOf(`${layer}/`);
      const plain = own >= 0 && !name.slice(own + layer.length + 1).includes('/');
      weights.set(plain ? name.slice(own) : `${layer}/${name}`, dataset);
    }
  }
  return { weights };
}

function at(group: Hdf5Group, path: string[]): Hdf5Dataset | undefined {
  const inside = path
    .slice(0, -1)
    .reduce<Hdf5Group | undefined>((inner, name) => inner?.groups.get(name), group);
  return inside?.datasets.get(path.at(-1)!);
}

function newLayout(
  root: Hdf5Group,
  classes: Map<string, string>,
  configs: Map<string, Record<string, unknown>>,
  source: ByteSource,
): Map<string, Hdf5Dataset> {
  const found: [string, string, Hdf5Dataset][] = [];
  const layers = new Set<string>();
  const walk = (group: Hdf5Group, name: string, depth: number) => {
    const vars = group.groups.get('vars');
    const given = vars?.attributes.get('name');
    // A recurrent layer keeps its variables in a cell, which has a name of its own; the layer's tells them apart.
    const cell = group.groups.get('cell')?.groups.get('vars');
    const own = cell?.datasets.size && !vars?.datasets.size ? cell : vars;
    if (own?.datasets.size) {
      const layer = typeof given === 'string' && given && !layers.has(given) ? given : name;
      layers.add(layer);
      const list = [...own.datasets].sort(([a], [b]) => byName(a, b));
      const names = variableNames(
        classes.get(layer) ?? group.path.split('/').at(-1)!,
        list.map(([, dataset]) => dataset.shape.length),
        configs.get(layer),
      );
      for (const [i, [, dataset]] of list.entries()) found.push([layer, names[i]!, dataset]);
    }
    for (const [child, inner] of [...group.groups].sort(([a], [b]) => byName(a, b))) {
      if (
        child === 'vars' ||
        (child === 'cell' && own === cell && cell) ||
        (depth === 0 && child === 'optimizer')
      )
        continue;
      walk(inner, child === 'layers' ? name : name ? `${name}/${child}` : child, depth + 1);
    }
  };
  walk(root, '', 0);
  // config.json knows the order; groups are kept by the alphabet.
  const order = new Map([...classes.keys()].map((layer, i) => [layer, i]));
  const place = (layer: string) => order.get(layer) ?? order.size;
  if (order.size) found.sort(([a], [b]) => place(a) - place(b));
  const weights = new Map<string, Hdf5Dataset>();
  for (const [layer, variable, dataset] of found) {
    const name = `${layer || 'model'}/${variable}`;
    if (weights.has(name))
      throw new EpochscopeError('format', `${source.name}: two weights are named ${name}`, {
        file: source.name,
      });
    weights.set(name, dataset);
  }
  return weights;
}

const VARIABLES: [RegExp, string[]][] = [
  [/^batchnormalization$/, ['gamma', 'beta', 'moving_mean', 'moving_variance']],
  [/^(layer|group)normalization$/, ['gamma', 'beta']],
  [/^rmsnormalization$/, ['scale']],
  [/^normalization$/, ['mean', 'variance', 'count']],
  [/^embedding$/, ['embeddings']],
  [/^separableconv/, ['depthwise_kernel', 'pointwise_kernel', 'bias']],
  [/^(dense|conv\d|depthwiseconv)/, ['kernel', 'bias']],
  [/^(lstm|gru|simplernn)(cell)?$/, ['kernel', 'recurrent_kernel', 'bias']],
];
/** What a configuration leaves out. */
const OPTIONAL: Record<string, string> = { gamma: 'scale', beta: 'center', bias: 'use_bias' };

/** A layer's variables in Keras's order, by its class ("Conv2D", "conv2d_1") and what its configuration says it has. */
export function variablesOf(kind: string, config: Record<string, unknown> = {}): string[] {
  const name = kind.replace(/_\d+$/, '').replace(/_/g, '').toLowerCase();
  const names = VARIABLES.find(([pattern]) => pattern.test(name))?.[1] ?? [];
  return names.filter((variable) => config[OPTIONAL[variable] ?? ''] !== false);
}

/** Keras 3 numbers the variables of a layer. */
function variableNames(kind: string, ranks: number[], config?: Record<string, unknown>): string[] {
  const names = variablesOf(kind, config);
  // Fewer than usual (scale=False) leaves open which: only those that are told apart by rank keep their name.
  if (
    names.length &&
    (names.length === ranks.length ||
      (names[0] === 'kernel' && ranks[0]! > 1 && ranks.length <= names.length))
  )
    return names.slice(0, ranks.length);
  return ranks.map((_, i) => `vars.${i}`);
}

/** Layer → class, in the model's order, from to_json() or config.json; inner models too. */
function classesOf(config: unknown): Map<string, string> {
  const classes = new Map<string, string>();
  eachLayer(config, (name, kind) => classes.set(name, kind));
  return classes;
}

/** Layer → its own configuration. */
function configsOf(config: unknown): Map<string, Record<string, unknown>> {
  const configs = new Map<string, Record<string, unknown>>();
  eachLayer(config, (name, _, own) => configs.set(name, own));
  return configs;
}

function eachLayer(
  config: unknown,
  see: (name: string, kind: string, own: Record<string, unknown>) => void,
  depth = 0,
): void {
  const inner = (config as { config?: unknown } | null)?.config;
  const layers = Array.isArray(inner) ? inner : (inner as { layers?: unknown } | null | undefined)?.layers;
  if (!Array.isArray(layers) || depth > 16) return;
  for (const layer of layers) {
    const { class_name: kind, config: own } = (layer ?? {}) as {
      class_name?: unknown;
      config?: Record<string, unknown>;
    };
    if (typeof kind === 'string' && typeof own?.name === 'string') see(own.name, kind, own);
    eachLayer(layer, see, depth + 1);
  }
}
