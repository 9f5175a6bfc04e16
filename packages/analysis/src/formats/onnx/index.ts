import { EpochscopeError } from '@epochscope/core-wasm';
import { Budget, rest } from '../budget.js';
import { DTYPE_BYTES, decodeElements, decodeInTurns, elementCount, memoryBytes } from '../dtypes.js';
import { type OpenSibling, siblingName } from '../siblings.js';
import type { DType, Tensor, TensorData } from '../types.js';
import { countOf, eachNumber, type Field, floatsOf, Message, numbersOf, signed, textOf } from './protobuf.js';

// ONNX: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Only what a feed-forward graph needs.

/** Protocol Buffers' own limit on a file. */
export const MAX_ONNX_BYTES = 2_147_483_647;
export const MAX_ONNX_NODES = 100_000;
/** Inputs, outputs or attributes of one node; numbers in one attribute. */
export const MAX_ONNX_LIST = 100_000;
/** Bytes of all tensors, in the file and beside it. */
export const MAX_ONNX_TENSORS = 8_000_000_000;

export type OnnxAttribute =
  | { kind: 'number'; value: number }
  | { kind: 'numbers'; value: number[] }
  | { kind: 'text'; value: string }
  | { kind: 'texts'; value: string[] }
  | { kind: 'tensor'; value: Tensor }
  /** A branch: its tensors and nodes may name what lies around it. */
  | { kind: 'graph'; value: OnnxModel }
  | { kind: 'other' };

export interface OnnxNode {
  name: string;
  op: string;
  /** "" for ONNX's own operators. */
  domain: string;
  /** "" for an optional input that is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, OnnxAttribute>;
  /** The module that it belongs to, "encoder.layer.0.attention", where PyTorch's exporter says it. */
  scope?: string;
}

export interface OnnxValue {
  name: string;
  /** null for sides that are open (the batch); null in all where the file says nothing. */
  shape: (number | null)[] | null;
  /** What it holds; null where the file says nothing, or no numbers. */
  dtype: DType | null;
}

export interface OnnxModel {
  /** Version of ONNX's own operators. */
  opset: number;
  nodes: OnnxNode[];
  tensors: Map<string, Tensor>;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

/** TensorProto.DataType of the types that are read. */
export const ONNX_DTYPES: Record<number, DType> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
};

/** Reads an ONNX model and its tensors, those kept in files beside it too. Throws `format`, `unsupported`, `missing`. */
export async function readOnnx(open: OpenSibling, file: string): Promise<OnnxModel> {
  const root = await open(file, async (source) => {
    if (source.size > MAX_ONNX_BYTES)
      throw new EpochscopeError(
        'format',
        `${source.name}: expected at most ${MAX_ONNX_BYTES} bytes, got ${source.size}`,
        {
          file: source.name,
        },
      );
    return new Message(await source.read(0, source.size), source.name);
  });
  const reader = new Reader(root.file, open, root.bytes.length);
  let opset = 0;
  let graph: Message | null = null;
  for (const field of root.fields()) {
    await root.rest();
    if (field.number === 7) graph = root.inside(field);
    if (field.number !== 8) continue;
    let domain = '';
    let version = 0;
    const inner = root.inside(field);
    for (const part of inner.fields()) {
      await inner.rest();
      if (part.number === 1) domain = textOf(part.bytes);
      if (part.number === 2) version = signed(part.value);
    }
    if (domain === '' || domain === 'ai.onnx') opset = version;
  }
  if (!graph || opset < 1 || opset > 1000)
    return reader.fail(`expected an ONNX model, got ${graph ? `operator set ${opset}` : 'no graph'}`);
  return reader.graph(graph, opset);
}

class Reader {
  private bytesLeft = MAX_ONNX_TENSORS;
  private readonly budget: Budget;
  private nodesLeft = MAX_ONNX_NODES;
  private opset = 0;
  constructor(
    private readonly file: string,
    private readonly open: OpenSibling,
    size: number,
  ) {
    this.budget = new Budget(file, size);
  }

  fail(message: string, code: 'format' | 'unsupported' = 'format'): never {
    throw new EpochscopeError(code, `${this.file}: ${message}`, { file: this.file });
  }

  async graph(graph: Message, opset: number): Promise<OnnxModel> {
    this.opset = opset;
    const model: OnnxModel = { opset, nodes: [], tensors: new Map(), inputs: [], outputs: [] };
    for (const field of graph.fields()) {
      await graph.rest();
      if (field.number === 1) {
        if (--this.nodesLeft < 0) this.fail(`expected at most ${MAX_ONNX_NODES} nodes`);
        model.nodes.push(await this.node(graph.inside(field)));
      } else if (field.number === 5) {
        const [name, tensor] = await this.tensor(graph.inside(field));
        if (model.tensors.size >= MAX_ONNX_LIST) this.fail(`expected at most ${MAX_ONNX_LIST} tensors`);
        if (model.tensors.has(name)) this.fail(`two tensors are named ${name.slice(0, 80)}`);
        model.tensors.set(name, tensor);
      } else if (field.number === 11) model.inputs.push(await this.value(graph.inside(field)));
      else if (field.number === 12) model.outputs.push(await this.value(graph.inside(field)));
      else if (field.number === 15) this.fail('sparse tensors are not read', 'unsupported');
      if (Math.max(model.inputs.length, model.outputs.length) > MAX_ONNX_LIST)
        this.fail(`expected at most ${MAX_ONNX_LIST} inputs and outputs`);
    }
    // Files before version 4 list weights among the inputs.
    model.inputs = model.inputs.filter(({ name }) => !model.tensors.has(name));
    return model;
  }

  private async node(message: Message): Promise<OnnxNode> {
    const node: OnnxNode = { name: '', op: '', domain: '', inputs: [], outputs: [], attributes: new Map() };
    for (const field of message.fields()) {
      await message.rest();
      if (field.number === 1) node.inputs.push(textOf(field.bytes));
      else if (field.number === 2) node.outputs.push(textOf(field.bytes));
      else if (field.number === 3) node.name = textOf(field.bytes);
      else if (field.number === 4) node.op = textOf(field.bytes);
      else if (field.number === 5) node.attributes.set(...(await this.attribute(message.inside(field))));
      else if (field.number === 7) node.domain = textOf(field.bytes) === 'ai.onnx' ? '' : textOf(field.bytes);
      else if (field.number === 9) {
        const scope = await scopeOf(message.inside(field));
        if (scope !== null) node.scope = scope;
      }
      if (node.inputs.length + node.outputs.length + node.attributes.size > MAX_ONNX_LIST)
        this.fail(`node ${node.name}: expected at most ${MAX_ONNX_LIST} inputs, outputs and attributes`);
    }
    return node;
  }

  private async attribute(message: Message): Promise<[string, OnnxAttribute]> {
    let name = '';
    let value: OnnxAttribute = { kind: 'other' };
    const list: number[] = [];
    const texts: string[] = [];
    const add = (values: ArrayLike<number>) => {
      if (list.length + values.length > MAX_ONNX_LIST)
        this.fail(`attribute ${name}: expected at most ${MAX_ONNX_LIST} numbers`);
      for (let i = 0; i < values.length; i++) list.push(values[i]!);
      value = { kind: 'numbers', value: list };
    };
    for (const field of message.fields()) {
      await message.rest();
      if (field.number === 1) name = textOf(field.bytes);
      else if (field.number === 2) value = { kind: 'number', value: floatsOf(field, 4)[0] ?? 0 };
      else if (field.number === 3) value = { kind: 'number', value: signed(field.value) };
      else if (field.number === 4) value = { kind: 'text', value: textOf(field.bytes) };
      else if (field.number === 5)
        value = { kind: 'tensor', value: (await this.tensor(message.inside(field)))[1] };
      else if (field.number === 6)
        value = { kind: 'graph', value: await this.graph(message.inside(field), this.opset) };
      else if (field.number === 9) {
        texts.push(textOf(field.bytes));
        if (texts.length > MAX_ONNX_LIST)
          this.fail(`attribute ${name}: expected at most ${MAX_ONNX_LIST} texts`);
        value = { kind: 'texts', value: texts };
      } else if (field.number === 7) add(floatsOf(field, 4));
      else if (field.number === 8) add(await numbersOf(message, field, MAX_ONNX_LIST));
    }
    return [name, value];
  }

  private async tensor(message: Message): Promise<[string, Tensor]> {
    const shape: number[] = [];
    let name = '';
    let type = 0;
    let raw: Uint8Array | null = null;
    let outside = false;
    const place = new Map<string, string>();
    // Packed numbers are unpacked once their type and count are known.
    const parts: Numbers[] = [];
    let got = 0;
    const add = async (field: Field & { at: number }) => {
      if (parts.length >= MAX_ONNX_LIST)
        message.fail(`expected the numbers of a tensor in at most ${MAX_ONNX_LIST} fields`, field.at);
      if (field.wire === 2) {
        parts.push(field);
        if (field.number === 4) got += Math.floor(field.bytes.length / 4);
        else if (field.number === 10) got += Math.floor(field.bytes.length / 8);
        else got += await countOf(message, field);
        return;
      }
      // Numbers that come one by one are put together: an array for each would take a hundred bytes.
      const value =
        field.number === 4
          ? floatsOf(field, 4)[0]!
          : field.number === 10
            ? floatsOf(field, 8)[0]!
            : BigInt.asIntN(64, field.value);
      const last = parts.at(-1);
      if (Array.isArray(last)) last.push(value);
      else parts.push([value]);
      got++;
    };
    for (const field of message.fields()) {
      await message.rest();
      if (field.number === 1) shape.push(...(await numbersOf(message, field, 64)));
      else if (field.number === 2) type = signed(field.value);
      else if ([4, 5, 7, 10, 11].includes(field.number)) await add(field);
      else if (field.number === 8) name = textOf(field.bytes);
      else if (field.number === 9) raw = field.bytes;
      else if (field.number === 13) {
        const inner = message.inside(field);
        let key = '';
        let value = '';
        for (const part of inner.fields()) {
          await inner.rest();
          if (part.number === 1) key = textOf(part.bytes);
          if (part.number === 2) value = textOf(part.bytes);
        }
        place.set(key, value);
      } else if (field.number === 14) outside = field.value === 1n;
      if (shape.length > 32) message.fail(`tensor ${name.slice(0, 80)}: expected at most 32 dimensions`, 0);
    }
    const shown = name.slice(0, 80) || '(unnamed)';
    const dtype = ONNX_DTYPES[type];
    if (!dtype) return this.fail(`tensor ${shown}: expected numbers, got type ${type}`, 'unsupported');
    const count = elementCount(shape);
    const size = count * DTYPE_BYTES[dtype];
    if (Number.isNaN(count)) this.fail(`tensor ${shown}: the shape [${shape}] is not possible`);
    this.bytesLeft -= size;
    if (this.bytesLeft < 0)
      this.fail(`expected at most ${MAX_ONNX_TENSORS} bytes of tensors, got more by ${shown}`);
    if (outside) raw = await this.beside(shown, place, size);
    if (raw) {
      if (raw.length !== size)
        this.fail(`tensor ${shown}: shape [${shape}] of ${dtype} needs ${size} bytes, got ${raw.length}`);
      return [name, { data: await decodeInTurns(raw, dtype, count, this.file), shape, dtype }];
    }
    if (got !== count) this.fail(`tensor ${shown}: shape [${shape}] needs ${count} values, got ${got}`);
    if (dtype === 'float16' || dtype === 'bfloat16')
      return this.fail(`tensor ${shown}: ${dtype} is read from raw_data only`, 'unsupported');
    this.budget.take(count * memoryBytes(dtype), `tensor ${shown}`);
    const empty = decodeElements(new Uint8Array(size), dtype, count);
    let at = 0;
    const put = (value: number | bigint) => assign(empty, at++, value);
    for (const part of parts) {
      await rest(this.file);
      if (Array.isArray(part)) for (const value of part) put(value);
      else if (part.number === 4 || part.number === 10) {
        const floats = floatsOf(part, part.number === 4 ? 4 : 8);
        for (let i = 0; i < floats.length; i++) {
          if (i % ASSIGNED === 0) await rest(this.file);
          put(floats[i]!);
        }
      } else await eachNumber(message, part, put);
    }
    return [name, { data: empty, shape, dtype }];
  }

  /** Large models keep tensors in other files: location, offset, length. */
  private async beside(
    tensor: string,
    place: ReadonlyMap<string, string>,
    size: number,
  ): Promise<Uint8Array> {
    const file = siblingName(place.get('location'), this.file);
    const number = (key: string, otherwise: number) => {
      const text = place.get(key);
      if (text !== undefined && !/^\d{1,15}$/.test(text))
        this.fail(`tensor ${tensor}: expected a whole number for ${key}`);
      return text === undefined ? otherwise : Number(text);
    };
    const length = number('length', size);
    if (length !== size) this.fail(`tensor ${tensor}: expected ${size} bytes in ${file}, got ${length}`);
    return this.open(file, (source) => source.read(number('offset', 0), size));
  }

  private async value(message: Message): Promise<OnnxValue> {
    const value: OnnxValue = { name: '', shape: null, dtype: null };
    for (const field of message.fields()) {
      await message.rest();
      if (field.number === 1) value.name = textOf(field.bytes);
      if (field.number !== 2) continue;
      const type = message.inside(field);
      for (const part of type.fields()) {
        await type.rest();
        if (part.number !== 1) continue;
        const tensor = type.inside(part);
        for (const inner of tensor.fields()) {
          await tensor.rest();
          if (inner.number === 1) value.dtype = ONNX_DTYPES[signed(inner.value)] ?? null;
          else if (inner.number === 2) value.shape = await this.shape(tensor.inside(inner));
        }
      }
    }
    return value;
  }

  private async shape(message: Message): Promise<(number | null)[]> {
    const sides: (number | null)[] = [];
    for (const field of message.fields()) {
      await message.rest();
      if (field.number !== 1) continue;
      const side = message.inside(field);
      let value: number | null = null;
      for (const part of side.fields()) {
        await side.rest();
        if (part.number === 1) value = signed(part.value);
      }
      if (sides.length >= 32) message.fail('expected at most 32 dimensions', 0);
      sides.push(value !== null && value > 0 ? value : null);
    }
    return sides;
  }
}

/** Of a node's remarks: the module, from "['', 'net', 'net.layer', 'linear']", whose last is the node itself. */
async function scopeOf(message: Message): Promise<string | null> {
  let [key, value] = ['', ''];
  for (const field of message.fields()) {
    await message.rest();
    if (field.number === 1) key = textOf(field.bytes);
    if (field.number === 2) value = textOf(field.bytes);
  }
  if (key !== 'pkg.torch.onnx.name_scopes') return null;
  return [...value.matchAll(/'([^']*)'/g)].at(-2)?.[1] ?? null;
}

/** One by one, or a packed field. */
type Numbers = (number | bigint)[] | (Field & { at: number });

/** Numbers between two looks at the clock. */
const ASSIGNED = 1 << 16;

function assign(data: TensorData, at: number, value: number | bigint): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = BigInt(value);
  else data[at] = Number(value);
}
