import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

// `npx vite build react --config vite.config.js` in this folder; `vue` likewise. Plain HTML needs no build.
export default defineConfig({
  base: './',
  plugins: [vue({ template: { compilerOptions: { isCustomElement: (tag) => tag.startsWith('es-') } } })],
  oxc: { jsx: { runtime: 'automatic' } },
  build: { target: 'es2022', emptyOutDir: true },
});
