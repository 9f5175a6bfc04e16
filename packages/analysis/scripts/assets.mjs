// `npm run build` after tsc: tfjs's wasm files beside the modules, where bundlers of pages find them by `new URL(…, import.meta.url)`.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const from = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
const to = fileURLToPath(new URL('../dist/assets', import.meta.url));
mkdirSync(to, { recursive: true });
for (const file of ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'])
  copyFileSync(join(from, file), join(to, file));
