import { type Cursor, type Hdf5Reader, MAX_HDF5_TREE_DEPTH, NOWHERE } from './cursor.js';
import { type Hdf5Type, readDataspace, readDatatype } from './datatype.js';
import { denseMessages, globalHeapObject, localHeap } from './heaps.js';

/** Attribute values that model files hold: texts, numbers, lists of them; null for what cannot be read. */
export type Hdf5Attribute = string | number | (string | number)[] | null;

/** Texts in one attribute. */
const MAX_ATTRIBUTE_TEXTS = 100_000;
const CONTINUATION = 0x10;

export interface Message {
  type: number;
  shared: boolean;
  body: Cursor;
}

/** All messages of an object header, version 1 or 2 (IV.A). */
export async function readMessages(reader: Hdf5Reader, address: number): Promise<Message[]> {
  const messages: Message[] = [];
  const blocks: Cursor[] = [];
  const start = await reader.upTo(address, 64, 'object header');
  const modern = start.bytes[0] === 0x4f; // 'O' of OHDR
  let ordered = false;
  if (modern) {
    start.signature('OHDR');
    const version = start.u8();
    if (version !== 2) start.fail(`expected object header version 2, got ${version}`);
    const flags = start.u8();
    ordered = Boolean(flags & 4);
    if (flags & 0x20) start.skip(16);
    if (flags & 0x10) start.skip(4);
    const size = start.uint(1 << (flags & 3));
    blocks.push(await reader.at(address + start.at, size, 'object header'));
  } else {
    const version = start.u8();
    if (version !== 1) start.fail(`expected an object header, got version ${version}`);
    start.skip(7);
    const size = start.u32();
    blocks.push(await reader.at(address + 16, size, 'object header'));
  }
  const headSize = modern ? (ordered ? 6 : 4) : 8;
  for (let c = blocks.shift(); c; c = blocks.shift()) {
    while (c.left >= headSize) {
      const type = modern ? c.u8() : c.u16();
      const size = c.u16();
      const flags = c.u8();
      c.skip(modern ? (ordered ? 2 : 0) : 3);
      reader.count(1, c.byte);
      const body = c.sub(size, 'message');
      if (type === CONTINUATION) {
        const next = body.address();
        const length = body.u64();
        const block = await reader.at(next, length, 'object header continuation');
        if (!modern) blocks.push(block);
        else {
          block.signature('OCHK');
          blocks.push(block.sub(Math.max(0, block.left - 4)));
        }
      } else if (type !== 0) messages.push({ type, shared: Boolean(flags & 2), body });
    }
  }
  return messages;
}

/** Names → object addresses of a group, old or new kind; soft and external links are passed over. */
export async function readLinks(
  reader: Hdf5Reader,
  messages: readonly Message[],
): Promise<Map<string, number>> {
  const links = new Map<string, number>();
  const add = (c: Cursor) => {
    const link = readLink(c);
    if (link) links.set(...link);
  };
  for (const { type, body } of messages) {
    if (type === 0x11)
      await symbolTable(reader, body.address(), await localHeap(reader, body.address()), links, 0);
    else if (type === 0x06) add(body);
    else if (type === 0x02) {
      body.skip(1);
      if (body.u8() & 1) body.skip(8);
      for (const link of await denseMessages(reader, body.address(), body.address(), 4, 'link')) add(link);
    }
  }
  return links;
}

function readLink(c: Cursor): [string, number] | null {
  const version = c.u8();
  if (version !== 1) c.fail(`expected link version 1, got ${version}`);
  const flags = c.u8();
  const type = flags & 8 ? c.u8() : 0;
  if (flags & 4) c.skip(8);
  if (flags & 16) c.skip(1);
  const name = c.text(c.uint(1 << (flags & 3)));
  return type === 0 ? [name, c.address()] : null;
}

async function symbolTable(
  reader: Hdf5Reader,
  address: number,
  nameAt: (offset: number) => string,
  links: Map<string, number>,
  depth: number,
): Promise<void> {
  if (depth > MAX_HDF5_TREE_DEPTH)
    reader.fail(`expected at most ${MAX_HDF5_TREE_DEPTH} levels in a group`, address);
  const head = await reader.upTo(address, 24, 'group');
  if (head.bytes[0] === 0x53) {
    head.signature('SNOD');
    head.skip(2);
    const count = head.u16();
    const node = await reader.at(address + 8, 40 * count, 'group');
    for (let i = 0; i < count; i++) {
      const entry = node.sub(40);
      const name = nameAt(entry.u64());
      const object = entry.address();
      if (entry.u32() !== 2) links.set(name, object);
      reader.count(1, address);
    }
    return;
  }
  head.signature('TREE');
  if (head.u8() !== 0) head.fail('expected a tree of links');
  head.skip(1);
  const count = head.u16();
  const node = await reader.at(address + 24, 16 * count + 8, 'group');
  for (let i = 0; i < count; i++) {
    node.skip(8);
    await symbolTable(reader, node.address(), nameAt, links, depth + 1);
  }
}

/** The attributes of an object, compact or dense. */
export async function readAttributes(
  reader: Hdf5Reader,
  messages: readonly Message[],
): Promise<Map<string, Hdf5Attribute>> {
  const attributes = new Map<string, Hdf5Attribute>();
  for (const { type, body } of messages) {
    if (type === 0x0c) attributes.set(...(await readAttribute(body)));
    else if (type === 0x15) {
      body.skip(1);
      if (body.u8() & 1) body.skip(2);
      for (const attribute of await denseMessages(reader, body.address(), body.address(), 0, 'attribute'))
        attributes.set(...(await readAttribute(attribute)));
    }
  }
  return attributes;
}

async function readAttribute(c: Cursor): Promise<[string, Hdf5Attribute]> {
  const version = c.u8();
  if (version < 1 || version > 3) c.fail(`expected attribute version 1 to 3, got ${version}`);
  const flags = c.u8();
  const [nameSize, typeSize, spaceSize] = [c.u16(), c.u16(), c.u16()];
  if (version === 3) c.skip(1);
  const part = (size: number) => {
    const inner = c.sub(size);
    if (version === 1) c.align();
    return inner;
  };
  const name = part(nameSize).text(nameSize);
  const typeBytes = part(typeSize);
  const spaceBytes = part(spaceSize);
  if (version > 1 && flags & 3) return [name, null];
  const type = readDatatype(typeBytes);
  const shape = readDataspace(spaceBytes);
  return [name, shape ? await attributeValue(c, type, shape) : null];
}

async function attributeValue(c: Cursor, type: Hdf5Type, shape: number[]): Promise<Hdf5Attribute> {
  const count = shape.reduce((a, b) => a * b, 1);
  if (!(count * type.size <= c.left))
    c.fail(`expected ${count} values of ${type.size} bytes, got ${c.left} bytes`);
  if (type.kind === 'other' || count > MAX_ATTRIBUTE_TEXTS) return null;
  const values: (string | number)[] = [];
  for (let i = 0; i < count; i++) {
    if (type.kind === 'text') values.push(c.text(type.size).trimEnd());
    else if (type.kind === 'long-text') {
      const length = c.u32();
      const heap = c.address();
      const index = c.u32();
      values.push(
        length === 0 || heap === NOWHERE
          ? ''
          : new TextDecoder().decode(await globalHeapObject(c.reader, heap, index, length)),
      );
    } else values.push(numberOf(c.raw(type.size), type));
  }
  return shape.length ? values : (values[0] ?? null);
}

function numberOf(bytes: Uint8Array, type: Hdf5Type & { kind: 'number' }): number {
  const own = bytes.slice();
  if (type.bigEndian) own.reverse();
  const view = new DataView(own.buffer);
  if (type.dtype === 'float64') return view.getFloat64(0, true);
  if (type.dtype === 'float32') return view.getFloat32(0, true);
  const whole = Number(own.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n));
  return type.dtype.startsWith('int') && own.at(-1)! & 128 ? whole - 256 ** own.length : whole;
}
