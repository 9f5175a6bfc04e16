// `node scripts/examples.mjs FOLDER`: examples.js, all elements with the cases of the gallery, for pages that show them living (npm run site).
import { resolve } from 'node:path';
import { build } from 'vite';
import { root } from './prepare.mjs';

await build({
  configFile: false,
  root,
  logLevel: 'warn',
  publicDir: false,
  build: {
    outDir: resolve(process.argv[2]),
    emptyOutDir: true,
    target: 'es2022',
    lib: { entry: 'packages/ui/gallery/examples.ts', formats: ['es'], fileName: () => 'examples.js' },
    rolldownOptions: { output: { codeSplitting: false } },
    minify: true,
  },
  plugins: [
    {
      // Their workers would lie inside as well.
      name: 'without-engine',
      load: (id) =>
        /\/ui\/src\/compute\.ts$/.test(id.replaceAll('\\', '/'))
          ? "export async function tendencyOfPoints() { throw new Error('points are not analysed in examples'); }"
          : null,
    },
  ],
});
