import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { bytesOf, elementCount, readStored, toFloat32 } from '../../formats/dtypes.js';
import { isObject, shown } from '../../formats/json.js';
import { readJsonObject } from '../../formats/siblings.js';
import type { StoredTensor } from '../../formats/types.js';
import { withStored } from '../../stores/content.js';
import { joinPath, splitPath } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';

// Low-rank adapters (Hu et al., 2022, "LoRA") as PEFT keeps them: W + s · B · A, of which a checkpoint holds A and B alone.

const FACTOR = /^(.*)\.lora_(?:embedding_)?([AB])(?:\.weight|\.default(?:\.weight)?)?$/;

/** A dotted name and what is left of it without its first parts, longest first; of a name that no net has, itself alone. */
function endings(name: string): string[] {
  const found = [name];
  if (name.length <= LONGEST_NAME)
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
      found.push(name.slice(dot + 1));
  return found;
}
const LONGEST_NAME = 1000;

export const isAdapter = (names: Iterable<string>): boolean => [...names].some((name) => FACTOR.test(name));

/**
 * A base net's weights with an adapter's changes added: float32 where there are any, others as they are. Throws `missing` where the base
 * lacks a weight, `unsupported` for adapters that are more than W + s · B · A (DoRA and the like).
 */
export async function mergedAdapter(
  store: Store,
  path: string,
  adapter: ReadonlyMap<string, StoredTensor>,
  base: ReadonlyMap<string, StoredTensor>,
): Promise<Map<string, StoredTensor>> {
  const [folder] = splitPath(path);
  const file = joinPath(folder, 'adapter_config.json');
  const config = await withStored(store, file, readJsonObject);
  const refuse = (what: string): never => {
    throw new EpochscopeError(
      'unsupported',
      `${path}: ${what} cannot be merged here; merge it where it was trained: model.merge_and_unload().save_pretrained(FOLDER), or import the adapters alone, without \`base\``,
      { path },
    );
  };
  if (config.peft_type !== 'LORA') refuse(`an adapter of kind ${shown(config.peft_type)}`);
  if (config.use_dora) refuse('a DoRA adapter');
  const patternsOf = (key: string) =>
    new Map(
      Object.entries(isObject(config[key]) ? config[key] : {}).map(([name, value], at) => [
        name,
        { at, value },
      ]),
    );
  const patterns = { rank_pattern: patternsOf('rank_pattern'), alpha_pattern: patternsOf('alpha_pattern') };
  const patterned = (key: keyof typeof patterns, module: string, otherwise: unknown): number => {
    // Of several that fit, the first in the file.
    const [own] = endings(module)
      .flatMap((ending) => patterns[key].get(ending) ?? [])
      .sort((a, b) => a.at - b.at);
    const value = own ? own.value : otherwise;
    guard(
      typeof value === 'number' && value > 0,
      'format',
      () => `${file}: expected a number for ${key} or its default`,
      { file },
    );
    return value;
  };
  const out = new Map(base);
  const baseNames = [...base.keys()];
  // By what their names end with, so that a search is not through all of them.
  const byEnding = new Map<string, string>();
  const bare = new Map<string, string>();
  for (const name of baseNames) {
    bare.set(name.replace(/\.weight$/, ''), name);
    if (name.endsWith('.weight'))
      for (const ending of endings(name)) if (!byEnding.has(ending)) byEnding.set(ending, name);
  }
  // PEFT's own prefix, and wrappers that the base was saved without.
  const find = (module: string): string => {
    const plain = module.replace(/^base_model\.(model\.)?/, '');
    const found =
      [plain, module].flatMap((name) => [`${name}.weight`, name]).find((name) => base.has(name)) ??
      byEnding.get(`${plain}.weight`) ??
      endings(plain)
        .map((ending) => bare.get(ending))
        .find((name) => name !== undefined);
    if (found === undefined)
      throw new EpochscopeError(
        'missing',
        `${path}: the base has no weight ${plain}.weight, to which the adapter adds; it has ${baseNames.slice(0, 6).join(', ')}${baseNames.length > 6 ? ', …' : ''}`,
        { path, tensor: plain },
      );
    return found;
  };
  const pairs = new Map<string, { a?: StoredTensor; b?: StoredTensor; embedding: boolean }>();
  for (const [name, tensor] of adapter) {
    const match = FACTOR.exec(name);
    if (!match) {
      if (/lora_|magnitude/.test(name)) refuse(`what the adapter calls ${name}`);
      // modules_to_save: whole weights in place of the base's.
      out.set(find(name.replace(/\.weight$/, '').replace(/\.modules_to_save(\.default)?/, '')), tensor);
      continue;
    }
    const pair = pairs.get(match[1]!) ?? { embedding: name.includes('lora_embedding_') };
    pair[match[2] === 'A' ? 'a' : 'b'] = tensor;
    pairs.set(match[1]!, pair);
  }
  for (const [module, { a, b, embedding }] of pairs) {
    if (!a || !b) refuse(`half of a pair, of ${module},`);
    const target = find(module);
    const own = base.get(target)!;
    const rank = patterned('rank_pattern', module, config.r);
    const alpha = patterned('alpha_pattern', module, config.lora_alpha);
    const scale = alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
    const [r, columns] = [a!.shape[0]!, elementCount(a!.shape.slice(1))];
    const rows = b!.shape[0]!;
    // fan_in_fan_out and embeddings: the base keeps [in, out], the product is [out, in].
    const turned = embedding || config.fan_in_fan_out === true;
    guard(
      r === b!.shape[1] &&
        rows * columns === elementCount(own.shape) &&
        own.shape[turned ? own.shape.length - 1 : 0] === rows,
      'shape',
      () =>
        `${path}: ${module}: A [${a!.shape}] and B [${b!.shape}] make no change of ${target} [${own.shape}]`,
      { path, tensor: target },
    );
    out.set(target, {
      dtype: 'float32',
      shape: own.shape,
      async bytes() {
        const [w, fa, fb] = [await readStored(own), await readStored(a!), await readStored(b!)].map(
          ({ data }) => toFloat32(data),
        ) as [Float32Array, Float32Array, Float32Array];
        const sum = new Float32Array(w);
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) {
            let dot = 0;
            for (let k = 0; k < r; k++) dot += fb[i * r + k]! * fa[k * columns + j]!;
            const at = turned ? j * rows + i : i * columns + j;
            sum[at] = w[at]! + scale * dot;
          }
        return bytesOf(sum);
      },
    });
  }
  return out;
}
