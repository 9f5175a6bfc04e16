import { normals, tfjsKernel, tfjsRoom } from '../../bench/tfjs.js';
import type { KernelBench } from '../../bench/types.js';
import { columnSumsReference } from './reference.js';

export const bench: KernelBench = {
  kernel: 'tfjs-column-sums',
  async *cases({ quick }) {
    const { kernels, arena } = await tfjsRoom();
    for (const [name, rows, columns] of [
      ['LeNet C1, batch 100', quick ? 11_520 : 57_600, 6],
      ['LeNet F3, batch 100', 100, 120],
    ] as const) {
      const x = normals(rows * columns, 1);
      const [from, to] = [arena.alloc(x.byteLength), arena.alloc(4 * columns)];
      arena.f32(from, x.length).set(x);
      yield {
        work: 'gradient of a bias',
        data: name,
        elements: x.length,
        contenders: [
          {
            name: 'core-wasm',
            run: () => kernels.columnSums(from, to, rows, columns),
            dispose: () => {
              arena.dealloc(from);
              arena.dealloc(to);
            },
          },
          { name: 'plain JavaScript', run: () => columnSumsReference(x, columns) },
          tfjsKernel('wasm', 'Sum', { x: [x, [rows, columns]] }, { axis: [0], keepDims: false }),
        ],
      };
    }
  },
};
