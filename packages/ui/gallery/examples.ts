// The gallery's cases by tag, for pages that show elements living: npm run site.
import '../src/register.js';
import { galleries } from '../src/gallery/list.js';

const all = Object.values(galleries).flat();

/** Tags that have an example. */
export const tags = [...new Set(all.map(({ tag }) => tag))].sort();

/** An element's examples: those with a picture. */
export const casesOf = (tag: string) =>
  all
    .filter((one) => one.tag === tag && !one.blank)
    .map(({ title, width, properties }) => ({
      title,
      width,
      make: () => Object.assign(document.createElement(tag), properties()),
    }));
