import { type Cursor, type Hdf5Reader, MAX_HDF5_TREE_DEPTH, NOWHERE } from './cursor.js';

/** Names of a group's links: a local heap (III.D). Answers a function from offset to name. */
export async function localHeap(reader: Hdf5Reader, address: number): Promise<(offset: number) => string> {
  const head = await reader.at(address, 32, 'local heap');
  head.signature('HEAP');
  head.skip(4);
  const size = head.u64();
  head.skip(8);
  const data = await reader.at(head.address(), size, 'local heap');
  return (offset) => {
    if (offset > size) data.fail(`expected a name at offset 0 … ${size}, got ${offset}`);
    data.at = offset;
    return data.zeroText();
  };
}

/** Texts of any length: one object of a global heap collection (III.E). */
export async function globalHeapObject(
  reader: Hdf5Reader,
  address: number,
  index: number,
  length: number,
): Promise<Uint8Array> {
  const head = await reader.at(address, 16, 'global heap');
  head.signature('GCOL');
  head.skip(4);
  const size = head.u64();
  const c = await reader.at(address, size, 'global heap');
  c.skip(16);
  while (c.left >= 16) {
    const found = c.u16();
    c.skip(6);
    const bytes = c.u64();
    if (found === 0) break;
    if (found === index) {
      if (length > bytes) c.fail(`object ${index}: expected ${length} bytes, got ${bytes}`);
      return c.raw(length);
    }
    c.skip(Math.min(c.left, 8 * Math.ceil(bytes / 8)));
  }
  return c.fail(`the heap holds no object ${index}`);
}

/**
 * Links or attributes of a group with many: a version 2 tree (III.A.2) of ids into a fractal heap (III.G). Answers each
 * message as a cursor. `idOffset`: where the id stands in a record.
 */
export async function denseMessages(
  reader: Hdf5Reader,
  heapAddress: number,
  treeAddress: number,
  idOffset: number,
  what: string,
): Promise<Cursor[]> {
  if (heapAddress === NOWHERE || treeAddress === NOWHERE) return [];
  const object = await fractalHeap(reader, heapAddress);
  const messages: Cursor[] = [];
  for (const record of await treeRecords(reader, treeAddress)) {
    record.skip(idOffset);
    messages.push(await object(record, what));
  }
  return messages;
}

/** Bytes that a number up to `limit` takes. */
const widthOf = (limit: number) => Math.floor(Math.log2(Math.max(1, limit)) / 8) + 1;

async function treeRecords(reader: Hdf5Reader, address: number): Promise<Cursor[]> {
  const head = await reader.at(address, 38, 'tree');
  head.signature('BTHD');
  head.skip(2);
  const nodeSize = head.u32();
  const recordSize = head.u16();
  const depth = head.u16();
  head.skip(2);
  const root = head.address();
  const rootRecords = head.u16();
  if (depth > MAX_HDF5_TREE_DEPTH) head.fail(`expected at most ${MAX_HDF5_TREE_DEPTH} levels, got ${depth}`);
  if (recordSize < 1 || nodeSize < 16 + recordSize)
    head.fail(`nodes of ${nodeSize} bytes cannot hold records of ${recordSize}`);
  // How many records a node of each level holds at most, which says how wide counts are written.
  const most = [Math.floor((nodeSize - 10) / recordSize)];
  const total = [most[0]!];
  const widths = [0];
  for (let level = 1; level <= depth; level++) {
    const pointer = 8 + widthOf(most[level - 1]!) + widths[level - 1]!;
    most[level] = Math.floor((nodeSize - 10 - pointer) / (recordSize + pointer));
    total[level] = (most[level]! + 1) * total[level - 1]! + most[level]!;
    widths[level] = widthOf(total[level]!);
  }
  const records: Cursor[] = [];
  const walk = async (at: number, count: number, level: number) => {
    if (count > most[level]!) head.fail(`expected at most ${most[level]} records in a node, got ${count}`);
    const node = await reader.at(at, nodeSize, 'tree node');
    node.signature(level ? 'BTIN' : 'BTLF');
    node.skip(2);
    reader.count(count, at);
    const own = Array.from({ length: count }, () => node.sub(recordSize));
    if (!level) {
      records.push(...own);
      return;
    }
    for (let i = 0; i <= count; i++) {
      const child = node.address();
      const children = node.uint(widthOf(most[level - 1]!));
      node.skip(widths[level - 1]!);
      await walk(child, children, level - 1);
      if (i < count) records.push(own[i]!);
    }
  };
  if (rootRecords) await walk(root, rootRecords, depth);
  return records;
}

async function fractalHeap(
  reader: Hdf5Reader,
  address: number,
): Promise<(id: Cursor, what: string) => Promise<Cursor>> {
  const head = await reader.at(address, 146, 'fractal heap');
  head.signature('FRHP');
  head.skip(1);
  const idLength = head.u16();
  if (head.u16()) head.fail('a filtered fractal heap cannot be read', 'unsupported');
  head.skip(1);
  const largest = head.u32();
  head.skip(96);
  const width = head.u16();
  const first = head.u64();
  const largestDirect = head.u64();
  const offsetBytes = Math.ceil(head.u16() / 8);
  head.skip(2);
  const root = head.address();
  const rows = head.u16();
  const power = (n: number) => n >= 1 && Number.isInteger(Math.log2(n));
  if (
    !power(first) ||
    !power(largestDirect) ||
    width < 1 ||
    width > 1024 ||
    offsetBytes < 1 ||
    offsetBytes > 8
  )
    head.fail('the sizes of its blocks are not possible');
  const lengthBytes = Math.min(widthOf(largestDirect), widthOf(largest));
  const directRows = Math.log2(largestDirect) - Math.log2(first) + 2;
  const rowSize = (row: number) => (row < 2 ? first : first * 2 ** (row - 1));

  /** The file address of a heap offset, by way of the blocks from `block` (which spans from `start`) down. */
  const find = async (
    block: number,
    blockRows: number,
    start: number,
    offset: number,
    depth: number,
  ): Promise<number> => {
    if (depth > MAX_HDF5_TREE_DEPTH) head.fail(`expected blocks nested at most ${MAX_HDF5_TREE_DEPTH} deep`);
    if (blockRows === 0) return block + (offset - start);
    let at = start;
    for (let row = 0; row < blockRows; row++) {
      const size = rowSize(row);
      if (offset >= at + size * width) {
        at += size * width;
        continue;
      }
      const column = Math.floor((offset - at) / size);
      // Before the addresses: signature, version, heap address, block offset.
      const c = await reader.at(block, 13 + offsetBytes + 8 * (row * width + column + 1), 'indirect block');
      c.signature('FHIB');
      c.skip(9 + offsetBytes + 8 * (row * width + column));
      const child = c.address();
      const inner = row < directRows ? 0 : Math.log2(size) - Math.log2(first * width) + 1;
      if (!(inner >= 0)) c.fail('an indirect block is too small');
      return find(child, inner, at + column * size, offset, depth + 1);
    }
    return head.fail(`offset ${offset} lies outside the heap`);
  };

  return async (record, what) => {
    const id = record.sub(idLength);
    const flags = id.u8();
    if ((flags >> 4) & 3) id.fail('an object outside the heap proper cannot be read', 'unsupported');
    const offset = id.uint(offsetBytes);
    const length = id.uint(lengthBytes);
    return reader.at(await find(root, rows, 0, offset, 0), length, what);
  };
}
