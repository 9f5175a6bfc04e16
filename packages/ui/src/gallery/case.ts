/**
 * One picture of the gallery page and of the tests made from it (`elements/<tag>/gallery.ts` and `views/<method>/gallery.ts`
 * export `cases`): a tag, registered, with fixture data small enough to build at once and seeded, never random.
 */
export interface GalleryCase {
  tag: string;
  /** What this case shows: "three clusters, one cut". */
  title: string;
  /** Properties set on the element; called anew for each picture. */
  properties: () => object;
  /** A state with no picture (empty, error, loading): nothing drawn is expected. */
  blank?: boolean;
  /** Controls only: no canvas or SVG is expected. */
  controls?: boolean;
  /** Largest width it is shown at, CSS pixels; default the page's. */
  width?: number;
}
