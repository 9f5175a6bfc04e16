/** Connected components by flood fill from each pixel not yet reached, row by row. Same shapes as `labelRegions`. */
export function labelRegionsReference(
  masks: ArrayLike<number>,
  [count, height, width]: readonly [number, number, number],
  neighbours: 4 | 8,
): { labels: Uint32Array; counts: Uint32Array; sizes: Uint32Array } {
  const labels = new Uint32Array(count * height * width);
  const counts = new Uint32Array(count);
  const sizes: number[] = [];
  for (let m = 0; m < count; m++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const start = (m * height + y) * width + x;
        if (!masks[start] || labels[start]) continue;
        const name = ++counts[m]!;
        labels[start] = name;
        let size = 0;
        const open: [number, number][] = [[y, x]];
        while (open.length) {
          const [cy, cx] = open.pop()!;
          size++;
          for (let dy = -1; dy <= 1; dy++) {
            for (let dx = -1; dx <= 1; dx++) {
              if (neighbours === 4 && dy !== 0 && dx !== 0) continue;
              const ny = cy + dy;
              const nx = cx + dx;
              if (ny < 0 || nx < 0 || ny >= height || nx >= width) continue;
              const next = (m * height + ny) * width + nx;
              if (!masks[next] || labels[next]) continue;
              labels[next] = name;
              open.push([ny, nx]);
            }
          }
        }
        sizes.push(size);
      }
    }
  }
  return { labels, counts, sizes: Uint32Array.from(sizes) };
}
