import { createEngine, tendency } from '@epochscope/analysis';
import { random } from '@epochscope/analysis/methods';

// What must have the same bits everywhere: random numbers, every kernel that a method rests on, a method as a whole.

/** FNV-1a over the bytes: enough to tell two results apart. */
function hash(data: ArrayBufferView): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  return (h >>> 0).toString(16).padStart(8, '0');
}

export async function compute(): Promise<Record<string, string>> {
  const dice = random(7);
  const n = 1200;
  const d = 40;
  const data = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const centre = i % 6;
    for (let j = 0; j < d; j++) data[i * d + j] = (j % 6 === centre ? 4 : 0) + dice.normal();
  }
  const x = { data, shape: [n, d] as [number, number] };
  const engine = createEngine({ threads: 2 });
  try {
    const out: Record<string, string> = { gaussians: hash(data) };
    for (const metric of ['euclidean', 'cosine', 'correlation', 'manhattan'] as const) {
      const { order, weights, parent } = await engine.vat(x, { metric });
      out[`vat ${metric}`] = [order, weights, parent].map(hash).join(' ');
    }
    out.pairwise = hash((await engine.pairwise(x, { metric: 'cosine' })).data);
    out.linkage = hash((await engine.clusterPoints(x, { metric: 'cosine' })).heights);
    out.correlation = hash((await engine.correlation(x, x)).r.data);
    out.svd = hash((await engine.truncatedSvd(x, { k: 8, seed: 3 })).sigma);
    const labels = Uint32Array.from({ length: n }, (_, i) => i % 6);
    const { panels } = await tendency(x, { labels }, { engine });
    out.tendency = JSON.stringify([panels[0]!.blocks, panels[0]!.scores], (_, value) =>
      ArrayBuffer.isView(value) ? hash(value) : value,
    );
    return out;
  } finally {
    await engine.close();
  }
}
