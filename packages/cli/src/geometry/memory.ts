import type { GraphRunner } from '@epochscope/analysis';
import { alignmentSize, isExplicit } from '@epochscope/analysis';
import { formatBytes, guard } from '@epochscope/core-wasm';
import { truncatedSvdOperatorBytes } from '@epochscope/core-wasm/jobs';
import type { Output } from '../output.js';
import type { GeometryOptions } from './options.js';
import type { MapPlace } from './places.js';

/** Bytes of tfjs's heap that a block of vectors may take. */
const BLOCK_BYTES = 400e6;

/** How many vectors go through the net at a time. */
export const blockOf = (bytes: number) => Math.max(1, Math.min(32, Math.floor(BLOCK_BYTES / bytes)));

/** Says what the largest map takes, and refuses what cannot fit, before any work. */
export function foretell(
  runner: GraphRunner,
  places: readonly MapPlace[],
  { k, tangents, memoryLimit = 65535 * 65536 }: GeometryOptions,
  output: Output,
): void {
  let worst = { bytes: 0, place: places[0]! };
  for (const place of places) {
    const [rows, columns] = [runner.sizeOf(place.to), runner.sizeOf(place.from)];
    const most = Math.min(k, rows, columns);
    const bytes = isExplicit(rows, columns, most)
      ? 16 * rows * columns
      : truncatedSvdOperatorBytes(rows, columns, most, {
          vectors: tangents && place.kind === 'depth' ? alignmentSize(most, columns) : 10,
        });
    if (bytes > worst.bytes) worst = { bytes, place };
  }
  const net = 4 * [...runner.graph.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
  guard(
    worst.bytes <= memoryLimit,
    'memory',
    () =>
      `geometry of ${worst.place.from} → ${worst.place.to} with k = ${k} needs ${formatBytes(worst.bytes)}, the limit is ${formatBytes(memoryLimit)}; ask for a smaller --k or other --layers`,
    { needed: worst.bytes, limit: memoryLimit },
  );
  if (worst.bytes + net > 300e6)
    output.say(
      `  memory: up to ${formatBytes(worst.bytes)} for ${worst.place.from} → ${worst.place.to}, ${formatBytes(2 * net)} of weights, ${formatBytes(BLOCK_BYTES)} of products`,
    );
}
