import { beforeAll, describe, expect, it } from 'vitest';
import { guarded, normals, type TfjsRoom, tfjsRoom } from '../../bench/tfjs.js';
import { columnSumsReference } from './reference.js';

let room: TfjsRoom;
beforeAll(async () => {
  room = await tfjsRoom();
});

function sums(x: Float32Array, rows: number, columns: number): Float32Array {
  const [got] = guarded(room, [x], [4 * columns], ([from], [to]) =>
    room.kernels.columnSums(from!, to!, rows, columns),
  );
  return got!;
}

describe('columnSums', () => {
  it('equals the definition to the bit at the lane edges of columns and few rows, and keeps guards', () => {
    for (const columns of [1, 2, 3, 4, 5, 6, 7, 8, 13, 120])
      for (const rows of [0, 1, 2, 3, 4, 5, 100, 577]) {
        const x = normals(rows * columns, 7 * rows + columns);
        expect([...sums(x, rows, columns)], `${rows} × ${columns}`).toEqual([
          ...columnSumsReference(x, columns),
        ]);
      }
  });

  it('passes on NaN and infinities of a column, and leaves its neighbours alone', () => {
    const x = Float32Array.of(1, 2, 3, 4, 5, NaN, 1, 2, 3, 4, Infinity, 6, 1, 2, 3, 4, -Infinity, 6);
    expect([...sums(x, 3, 6)]).toEqual([3, 6, 9, 12, NaN, NaN]);
  });
});
