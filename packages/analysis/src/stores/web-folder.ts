import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { httpSource } from '../formats/http-source.js';
import { type HubOptions, request, textOf } from './hub/request.js';
import { byName, missing, partsOf, readOnly } from './paths.js';
import type { Store, StoreEntry } from './types.js';

const MAX_PAGE = 20_000_000;
const MAX_ENTRIES = 100_000;

/** A folder of a web server that answers with a page of links (Apache, nginx, Python's http.server), for reading by ranges. */
export function webFolderStore(address: string, options: HubOptions = {}): Store {
  const base = new URL(address);
  base.hash = '';
  base.search = '';
  base.pathname = base.pathname.replace(/\/*$/, '/');
  const name = base.href;
  const urlOf = (path: string) => new URL(partsOf(path, name).map(encodeURIComponent).join('/'), base).href;
  const listed = new Map<string, Promise<StoreEntry[]>>();

  async function load(folder: string): Promise<StoreEntry[]> {
    const url = folder === '' ? base.href : `${urlOf(folder)}/`;
    const answer = await request(url, options);
    const type = answer.headers.get('content-type') ?? '';
    if (answer.status >= 300 || !/html/i.test(type)) {
      await answer.body?.cancel();
      throw new EpochscopeError(
        'unsupported',
        `${url}: expected a page that lists the folder's files, got ${answer.status >= 300 ? `status ${answer.status}` : type || 'no type'}; give the address of a folder that lists its files, of a run with index.json, or of a hub's model`,
        { file: url },
      );
    }
    const text = await textOf(answer, url, MAX_PAGE);
    const found = new Map<string, StoreEntry>();
    for (const [, quoted = '', single = ''] of text.matchAll(
      /<a\s[^>]{0,500}?href=(?:"([^"]{1,2000})"|'([^']{1,2000})')/gi,
    )) {
      const entry = entryOf((quoted || single).replaceAll('&amp;', '&'), url);
      if (entry) found.set(entry.name, entry);
      guard(found.size <= MAX_ENTRIES, 'format', () => `${url}: expected at most ${MAX_ENTRIES} links`, {
        file: url,
      });
    }
    return byName([...found.values()]);
  }

  const list = (folder: string): Promise<StoreEntry[]> => {
    partsOf(folder, name);
    const known = listed.get(folder) ?? load(folder);
    listed.set(folder, known);
    return known;
  };
  return {
    name,
    writable: false,
    addressOf: (path) => ({ place: urlOf(path) }),
    list,
    async has(path) {
      const cut = path.lastIndexOf('/');
      const entries = await list(cut < 0 ? '' : path.slice(0, cut));
      return entries.some((entry) => entry.kind === 'file' && entry.name === path.slice(cut + 1));
    },
    async open(path) {
      try {
        return await httpSource(urlOf(path), options);
      } catch (cause) {
        if (cause instanceof EpochscopeError && cause.code === 'missing')
          throw missing({ name }, path, cause);
        throw cause;
      }
    },
    ...readOnly(name, "a web server's folder is read only"),
  };
}

/** A link to something right in the folder; null for any other (sorting, the folder above, other sites). */
function entryOf(href: string, page: string): StoreEntry | null {
  let target: URL;
  try {
    target = new URL(href, page);
  } catch {
    return null;
  }
  const base = new URL(page);
  if (target.origin !== base.origin || target.search || !target.pathname.startsWith(base.pathname))
    return null;
  const match = /^([^/]+)(\/?)$/.exec(target.pathname.slice(base.pathname.length));
  if (!match) return null;
  let own: string;
  try {
    own = decodeURIComponent(match[1]!);
  } catch {
    return null;
  }
  if (/[/\\\0]/.test(own) || own === '.' || own === '..') return null;
  return { name: own, kind: match[2] ? 'folder' : 'file', size: null, modified: null };
}
