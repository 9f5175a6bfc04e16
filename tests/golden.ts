import { readFileSync } from 'node:fs';

/** A C-ordered f4, f8, i4 or i8 array of tests/goldens, as float64. Deliberately not the npy reader under test. */
export function golden(name: string): { data: Float64Array; shape: number[] } {
  const bytes = readFileSync(new URL(`./goldens/${name}.npy`, import.meta.url));
  const length = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + length);
  const descr = /'descr': '([^']+)'/.exec(header)![1]!;
  const shape = [.../'shape': \(([^)]*)\)/.exec(header)![1]!.matchAll(/\d+/g)].map((m) => Number(m[0]));
  if (header.includes("'fortran_order': True")) throw new Error(`${name}: Fortran order`);
  const size = shape.reduce((a, b) => a * b, 1);
  const at = 10 + length;
  const data = Float64Array.from({ length: size }, (_, i) => {
    if (descr === '<f8') return bytes.readDoubleLE(at + 8 * i);
    if (descr === '<f4') return bytes.readFloatLE(at + 4 * i);
    if (descr === '<i4') return bytes.readInt32LE(at + 4 * i);
    if (descr === '<i8') return Number(bytes.readBigInt64LE(at + 8 * i));
    throw new Error(`${name}: ${descr}`);
  });
  return { data, shape };
}

/** A condensed golden as a full square matrix. */
export function goldenSquare(name: string): { data: Float64Array; n: number } {
  const { data } = golden(name);
  const n = Math.round((1 + Math.sqrt(1 + 8 * data.length)) / 2);
  const full = new Float64Array(n * n);
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) full[i * n + j] = full[j * n + i] = data[at++]!;
  return { data: full, n };
}
