import type { GalleryCase } from './case.js';

/** Every case there is, by folder: one module per element or view. Needs Vite (`import.meta.glob`). */
export const galleries: Record<string, GalleryCase[]> = Object.fromEntries(
  Object.entries(
    import.meta.glob<{ cases: GalleryCase[] }>(['../elements/*/gallery.ts', '../views/*/gallery.ts'], {
      eager: true,
    }),
  ).map(([path, module]) => [path.replace(/^\.\.\/|\/gallery\.ts$/g, ''), module.cases]),
);
