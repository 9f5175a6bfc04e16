import { withBase } from 'vitepress';

/** Elements and their examples, loaded when a page shows one. */
export const loadExamples = () =>
  import(/* @vite-ignore */ new URL(withBase('/examples/examples.js'), location.href).href);
