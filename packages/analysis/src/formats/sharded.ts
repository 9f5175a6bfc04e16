import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { rest } from './budget.js';
import { readable, readSafetensorsEntry, readSafetensorsHeader } from './safetensors.js';
import { MAX_SHARDS, type OpenSibling, readJsonObject, siblingName } from './siblings.js';
import { readTorch } from './torch/index.js';
import type { Tensor } from './types.js';

// Hugging Face's model.safetensors.index.json (or pytorch_model.bin.index.json): { weight_map: { tensor: file } }.

/** Tensor → file, checked. Throws `format`. */
export async function readShardIndex(open: OpenSibling, index: string): Promise<Map<string, string>> {
  return open(index, async (source) => {
    const { weight_map: map } = await readJsonObject(source);
    guard(
      typeof map === 'object' && map !== null && !Array.isArray(map),
      'format',
      () => `${source.name}: expected "weight_map", an object of tensor → file`,
      { file: source.name },
    );
    const files = new Map<string, string>();
    for (const name of Object.keys(map)) {
      files.set(name, siblingName((map as Record<string, unknown>)[name], source.name));
      if (files.size % 10_000 === 0) await rest(source.name);
    }
    const shards = new Set(files.values()).size;
    guard(
      shards <= MAX_SHARDS,
      'format',
      () => `${source.name}: expected at most ${MAX_SHARDS} files, got ${shards}`,
      { file: source.name },
    );
    return files;
  });
}

/** All tensors of a model in shards, in the index's order. Throws `missing` naming what a shard lacks, `format`. */
export async function readSharded(open: OpenSibling, index: string): Promise<Map<string, Tensor>> {
  const files = await readShardIndex(open, index);
  const found = new Map<string, Tensor>();
  const shards = new Map<string, string[]>();
  let looked = 0;
  for (const [name, file] of files) {
    if (++looked % 10_000 === 0) await rest(index);
    const others = shards.get(file);
    if (others) others.push(name);
    else shards.set(file, [name]);
  }
  for (const [shard, wanted] of shards) {
    await open(shard, async (source) => {
      const lacks = (name: string): never => {
        throw new EpochscopeError(
          'missing',
          `${source.name}: expected tensor ${name}, which ${index} says it holds`,
          {
            file: source.name,
            tensor: name,
          },
        );
      };
      if (!shard.endsWith('.safetensors')) {
        const tensors = await readTorch(source);
        for (const name of wanted) found.set(name, tensors.get(name) ?? lacks(name));
        return;
      }
      const { entries } = readable(source, await readSafetensorsHeader(source));
      for (const name of wanted)
        found.set(name, await readSafetensorsEntry(source, entries.get(name) ?? lacks(name)));
    });
  }
  return new Map([...files.keys()].map((name) => [name, found.get(name)!]));
}
