import { EpochscopeError, guard } from '@epochscope/core-wasm';
import { isObject, parseJson } from '../../formats/json.js';
import { listPaths, missing, partsOf, readOnly } from '../paths.js';
import type { Store } from '../types.js';
import { type HubFile, openHubFile } from './file.js';
import { type HubOptions, request, textOf } from './request.js';

export { isHubAddress, openHubFile } from './file.js';
export type { HubOptions } from './request.js';

// A model hub over HTTP, by the protocol of huggingface.co and what answers like it: /api/models/ID/refs, /api/models/ID/tree/REV,
// /ID/resolve/REV/PATH.

/** Revisions listed at once. */
const AT_ONCE = 6;
const MAX_REVISIONS = 10_000;
const MAX_FILES = 200_000;
const MAX_JSON = 50_000_000;

interface Revision {
  name: string;
  commit: string;
}

export interface HubSeries extends Store {
  /** What was found, for whoever imports it. */
  readonly notes: readonly string[];
}

/** What an address names: https://host/org/model, with /tree/REVISION where that is one. null for any other address. */
export function parseHubAddress(
  address: string,
): { origin: string; id: string; revision: string | null } | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  const parts = url.pathname.split('/').filter(Boolean);
  const tree = parts[2] === 'tree' && parts[3] !== undefined;
  if ((parts.length !== 2 && !tree) || parts.some((part) => part.includes('.json'))) return null;
  return {
    origin: url.origin,
    id: `${parts[0]}/${parts[1]}`,
    revision: tree ? decodeURIComponent(parts.slice(3).join('/')) : null,
  };
}

/**
 * A model's revisions as folders of one store, each pinned to the commit it is at now: files are known from listings with their hashes, and
 * read by ranges. `revisions`: names with * for any text, several separated by commas; default the one the address names, else main.
 * Throws `missing` where none fits, naming those there are, `io` where the hub refuses.
 */
export async function hubStore(
  address: string,
  revisions: string | undefined,
  options: HubOptions = {},
): Promise<HubSeries> {
  const named = parseHubAddress(address);
  guard(named, 'argument', () => `expected https://HOST/ORG/MODEL, got ${address}`, { got: address });
  const { origin, id, revision } = named;
  const api = `${origin}/api/models/${id}`;
  const there = await refsOf(`${api}/refs`, options);
  const wanted = revisions ?? revision ?? 'main';
  const chosen = there.filter(({ name }) => wanted.split(',').some((pattern) => fits(pattern, name)));
  const listed = (list: readonly Revision[]) =>
    `${list
      .slice(0, 8)
      .map(({ name }) => name)
      .join(', ')}${list.length > 8 ? `, … (${list.length})` : ''}`;
  guard(
    chosen.length > 0,
    'missing',
    () => `${origin}/${id}: no revision fits "${wanted}"; there are ${listed(there)}`,
    { revisions: wanted },
  );
  guard(
    chosen.length <= MAX_REVISIONS,
    'format',
    () => `${origin}/${id}: expected at most ${MAX_REVISIONS} revisions, got ${chosen.length}`,
  );
  const files = new Map<string, HubFile & { url: string }>();
  for (let at = 0; at < chosen.length; at += AT_ONCE)
    await Promise.all(
      chosen.slice(at, at + AT_ONCE).map(async ({ name, commit }) => {
        const folder = folderOf(name);
        for (const [path, file] of await treeOf(`${api}/tree/${commit}?recursive=true`, options))
          files.set(`${folder}/${path}`, {
            ...file,
            url: `${origin}/${id}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`,
          });
        guard(
          files.size <= MAX_FILES,
          'format',
          () => `${origin}/${id}: expected at most ${MAX_FILES} files`,
        );
      }),
    );
  const name = `${origin}/${id}`;
  const find = (path: string) => {
    partsOf(path, name);
    const file = files.get(path);
    if (!file) throw missing({ name }, path);
    return file;
  };
  const others = there.filter((one) => !chosen.includes(one));
  return {
    name,
    writable: false,
    notes:
      others.length && revisions === undefined
        ? [`${others.length} other revisions: ${listed(others)}; \`revisions: "step*"\` takes those that fit`]
        : [],
    addressOf(path) {
      const { url, oid } = find(path);
      return { place: url, ...(/^[0-9a-f]{64}$/.test(oid) ? { sha256: oid } : {}) };
    },
    async list(folder) {
      partsOf(folder, name);
      return listPaths(
        [...files].map(([path, { size }]) => [path, size, null]),
        folder,
      );
    },
    has: async (path) => files.has(path),
    async open(path) {
      const { url, size, oid } = find(path);
      return openHubFile(url, options, { size, oid });
    },
    ...readOnly(name, 'a hub is read only'),
  };
}

/** A revision's name as one folder's. */
const folderOf = (revision: string) => revision.replaceAll('/', '-');

/** Whether a name fits a pattern in which * stands for any text. Linear in both. */
function fits(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.trim().split('*') as [string, ...string[]];
  if (!rest.length) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop()!;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

async function json(answer: Response, address: string): Promise<unknown> {
  return parseJson(await textOf(answer, address, MAX_JSON), address);
}

async function refsOf(address: string, options: HubOptions): Promise<Revision[]> {
  const found = await json(await request(address, options), address);
  const list = (key: string) =>
    isObject(found) && Array.isArray(found[key]) ? (found[key] as unknown[]) : [];
  const revisions = [...list('branches'), ...list('tags')].flatMap((ref) =>
    isObject(ref) &&
    typeof ref.name === 'string' &&
    typeof ref.targetCommit === 'string' &&
    /^[0-9a-f]{40}$/.test(ref.targetCommit)
      ? [{ name: ref.name, commit: ref.targetCommit }]
      : [],
  );
  guard(revisions.length > 0, 'format', () => `${address}: expected branches with their commits`, {
    file: address,
  });
  return revisions;
}

/** All pages of a listing. */
async function treeOf(address: string, options: HubOptions): Promise<Map<string, HubFile>> {
  const found = new Map<string, HubFile>();
  const origin = new URL(address).origin;
  for (let page: string | null = address; page !== null; ) {
    const answer: Response = await request(page, options);
    const entries = await json(answer, page);
    guard(Array.isArray(entries), 'format', () => `${page}: expected a list of files`, { file: page });
    for (const entry of entries as unknown[]) {
      if (!isObject(entry) || entry.type !== 'file' || typeof entry.path !== 'string') continue;
      const lfs = isObject(entry.lfs) ? entry.lfs : null;
      const size = lfs?.size ?? entry.size;
      const said = lfs?.oid ?? entry.oid;
      const oid = typeof said === 'string' ? said.replace(/^sha256:/, '') : '';
      guard(
        Number.isSafeInteger(size) && (size as number) >= 0 && /^[0-9a-f]{40,64}$/.test(oid),
        'format',
        () => `${page}: ${String(entry.path).slice(0, 80)}: expected its size and hash`,
        { file: page },
      );
      found.set(entry.path, { size: size as number, oid });
    }
    const next: string | undefined = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    const following: string | null = next ? new URL(next, page).href : null;
    guard(
      following === null ||
        (following !== page && new URL(following).origin === origin && found.size <= MAX_FILES),
      'format',
      () => `${page}: its next page is ${following}, which is none of its own`,
      { file: page },
    );
    page = following;
  }
  return found;
}

/** The store of a series at an address: a hub's where it answers as one, else undefined. Throws what the hub says where `revisions` are asked for. */
export async function hubStoreIfOne(
  address: string,
  revisions: string | undefined,
  options: HubOptions = {},
): Promise<HubSeries | undefined> {
  if (!parseHubAddress(address)) {
    guard(
      revisions === undefined,
      'argument',
      () => `\`revisions\` are those of a hub's model, https://HOST/ORG/MODEL; got ${address}`,
      { got: address },
    );
    return undefined;
  }
  try {
    return await hubStore(address, revisions, options);
  } catch (cause) {
    // Any other web server has no such address.
    const other = cause instanceof EpochscopeError && ['missing', 'format'].includes(cause.code);
    if (!other || revisions !== undefined) throw cause;
    return undefined;
  }
}
