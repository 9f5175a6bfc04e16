import type { OpenSibling } from '../../formats/siblings.js';
import { withStored } from '../../stores/content.js';
import { joinPath, splitPath } from '../../stores/paths.js';
import type { Store } from '../../stores/types.js';

/** Opens files beside one of a store. */
export const openBeside = (store: Store, path: string): OpenSibling => {
  const [folder] = splitPath(path);
  return (name, body) => withStored(store, joinPath(folder, name), body);
};
