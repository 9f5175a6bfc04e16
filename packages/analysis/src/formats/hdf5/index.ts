import type { ByteSource } from '../types.js';
import { Hdf5Reader } from './cursor.js';
import { describeDataset, type Hdf5Dataset } from './dataset.js';
import { type Hdf5Attribute, readAttributes, readLinks, readMessages } from './objects.js';

export { MAX_HDF5_METADATA } from './cursor.js';
export { type Hdf5Dataset, readHdf5Dataset } from './dataset.js';
export type { Hdf5Attribute } from './objects.js';

// What h5py and Keras write: superblocks 0 to 3, old and new groups, numbers stored whole or in chunks (deflate,
// shuffle, Fletcher's checksum unread). Not read, and said so: chunk indexes of libver="latest", other filters, compounds.

/** Groups in groups. */
export const MAX_HDF5_NESTING = 32;
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** Where the signature may stand when a user block precedes it. */
const PLACES = [0, 512, 1024, 2048, 4096, 8192];

export interface Hdf5Group {
  path: string;
  attributes: Map<string, Hdf5Attribute>;
  groups: Map<string, Hdf5Group>;
  datasets: Map<string, Hdf5Dataset>;
}

/** The whole tree of groups with attributes and descriptions of datasets; no numbers are read. Throws `format`, `unsupported`. */
export async function readHdf5(source: ByteSource): Promise<Hdf5Group> {
  const reader = new Hdf5Reader(source);
  const root = await findRoot(reader);
  // Hard links: what several names lead to is one object, described and read once.
  const datasets = new Map<number, Hdf5Dataset>();
  const open = async (address: number, path: string, depth: number): Promise<Hdf5Group | Hdf5Dataset> => {
    const known = datasets.get(address);
    if (known) {
      known.aliased = true;
      return { ...known, path, alias: known };
    }
    if (depth > MAX_HDF5_NESTING)
      reader.fail(
        `expected groups nested at most ${MAX_HDF5_NESTING} deep: does ${path.slice(0, 80)} hold itself?`,
        address,
      );
    const messages = await readMessages(reader, address);
    const dataset = describeDataset(reader, path, messages);
    if (dataset) {
      datasets.set(address, dataset);
      return dataset;
    }
    const group: Hdf5Group = {
      path,
      attributes: await readAttributes(reader, messages),
      groups: new Map(),
      datasets: new Map(),
    };
    for (const [name, child] of await readLinks(reader, messages)) {
      const object = await open(child, `${path}/${name}`, depth + 1);
      if ('groups' in object) group.groups.set(name, object);
      else group.datasets.set(name, object);
    }
    return group;
  };
  const object = await open(root, '', 0);
  if (!('groups' in object)) return reader.fail('expected a group at the root', root);
  return object;
}

/** The address of the root group's header, from the superblock (II.A). */
async function findRoot(reader: Hdf5Reader): Promise<number> {
  const { source } = reader;
  for (const place of PLACES) {
    if (place + 48 > source.size) break;
    const start = await source.read(place, 8);
    if (!SIGNATURE.every((byte, i) => start[i] === byte)) continue;
    reader.base = place;
    const c = await reader.upTo(0, 96, 'superblock');
    c.skip(8);
    const version = c.u8();
    if (version > 3) c.fail(`expected version 0 to 3, got ${version}`);
    if (version < 2) c.skip(4);
    const sizes = [c.u8(), c.u8()];
    if (sizes.some((size) => size !== 8))
      c.fail(`expected offsets and lengths of 8 bytes, got ${sizes.join(' and ')}`, 'unsupported');
    c.skip(version === 0 ? 9 : version === 1 ? 13 : 1);
    if (version < 2) {
      // Base, free space, end of file, driver; then the root's entry: name, header.
      c.skip(32 + 8);
      return c.address();
    }
    c.skip(24);
    return c.address();
  }
  return reader.fail('expected an HDF5 file', 0);
}

/** Every dataset of a group, deep, by path from it ("a/b"), in the file's order. */
export function datasetsOf(group: Hdf5Group): Map<string, Hdf5Dataset> {
  const all = new Map<string, Hdf5Dataset>();
  const walk = (inside: Hdf5Group, prefix: string) => {
    for (const [name, dataset] of inside.datasets) all.set(`${prefix}${name}`, dataset);
    for (const [name, inner] of inside.groups) walk(inner, `${prefix}${name}/`);
  };
  walk(group, '');
  return all;
}
