import { defineConfig } from 'vite';

// The report's script: one IIFE with everything inside, inlined by the CLI into a page that opens from disk.
export default defineConfig({
  build: {
    outDir: 'dist/app',
    emptyOutDir: false,
    lib: {
      entry: 'src/app/report.ts',
      formats: ['iife'],
      name: 'EpochscopeReport',
      fileName: () => 'report.js',
    },
    minify: true,
  },
});
