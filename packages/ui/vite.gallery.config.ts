import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// `npm run gallery`: every element on fixture data, as plain files that any server or folder takes.
export default defineConfig({
  root: fileURLToPath(new URL('./gallery', import.meta.url)),
  base: './',
  build: { outDir: '../dist-gallery', emptyOutDir: true, target: 'es2022' },
  preview: { port: 4174, host: '127.0.0.1' },
});
