import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { platform } from '#platform';
import { followsLinks } from '../../formats/budget.js';
import { type HubOptions, hubStoreIfOne } from '../../stores/hub/index.js';
import { type Place, storeOf } from '../../stores/of.js';
import type { Store } from '../../stores/types.js';
import { webFolderStore } from '../../stores/web-folder.js';

/**
 * Where a series lies: as `storeOf` takes it, a model on a hub with its revisions as folders, or a folder of a web server that lists its
 * files. Throws `missing`, `argument`, `io`.
 */
export async function storeOfSeries(
  place: Place,
  { revisions, hub = {} }: { revisions?: string; hub?: HubOptions },
): Promise<Store> {
  const address =
    place instanceof URL || (typeof place === 'string' && /^https?:\/\//i.test(place)) ? String(place) : null;
  if (address === null) {
    guard(
      typeof place !== 'string' || revisions === undefined,
      'argument',
      () => '`revisions` are those of a model on a hub, https://HOST/ORG/MODEL',
    );
    return typeof place === 'string'
      ? platform.storeOfPath(place, { links: followsLinks() ? 'followed' : 'named' })
      : storeOf(place);
  }
  const found = await hubStoreIfOne(address, revisions, hub);
  if (found) return found;
  const store = await storeOf(address, hub);
  try {
    await store.list('');
    return store;
  } catch (cause) {
    if (!(cause instanceof EpochscopeError) || cause.code !== 'unsupported') throw cause;
    // No index of ours: the server's own listing.
    return webFolderStore(address, hub);
  }
}
