import { PickleCall, PickleDict } from './values.js';

/** Stack, memo and nesting. */
export const MAX_PICKLE_STACK = 1_000_000;
export const MAX_PICKLE_MEMO = 2_000_000;
export const MAX_PICKLE_MARKS = 1000;

const MARK = Symbol('mark');

/** Engines hash a bigint by its last 64 bits alone, so that many that share them take quadratic time: such a key counts as an object. */
const keyOf = (key: unknown): unknown => (typeof key === 'bigint' ? Object(key) : key);

/** What a pickle's opcodes work on: a stack with marks, and the memo of values that come again. */
export class PickleMachine {
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private marks = 0;

  constructor(private readonly fail: (message: string, byte?: number) => never) {}

  push(value: unknown): void {
    if (this.stack.length >= MAX_PICKLE_STACK)
      this.fail(`expected a stack of at most ${MAX_PICKLE_STACK} values`);
    this.stack.push(value);
  }
  private get marked(): boolean {
    return this.stack[this.stack.length - 1] === MARK;
  }
  top(): unknown {
    if (!this.stack.length || this.marked) this.fail('the stack is empty');
    return this.stack[this.stack.length - 1];
  }
  pop(): unknown {
    this.top();
    return this.stack.pop();
  }

  mark(place: number): void {
    if (++this.marks > MAX_PICKLE_MARKS)
      this.fail(`expected values nested at most ${MAX_PICKLE_MARKS} deep`, place);
    this.push(MARK);
  }
  popMark(): unknown[] {
    const from = this.stack.lastIndexOf(MARK);
    if (from < 0) this.fail('there is no mark');
    const items = this.stack.splice(from + 1);
    this.stack.pop();
    this.marks--;
    return items;
  }
  /** POP takes a mark as well as a value. */
  drop(): void {
    if (this.marked) this.popMark();
    else this.pop();
  }

  keep(index = this.memo.size): void {
    if (this.memo.size >= MAX_PICKLE_MEMO) this.fail(`expected at most ${MAX_PICKLE_MEMO} remembered values`);
    this.memo.set(index, this.top());
  }
  recall(index: number): void {
    if (!this.memo.has(index)) this.fail(`value ${index} was never remembered`);
    this.push(this.memo.get(index));
  }

  /** Keys and values in turn, into a dict or what a call would return. */
  store(target: unknown, items: unknown[]): void {
    if (items.length % 2) this.fail('a dict is given a key without a value');
    const dict =
      target instanceof PickleDict
        ? target
        : target instanceof PickleCall
          ? (target.items ??= new PickleDict())
          : this.fail('items are stored in something that is no dict');
    for (let i = 0; i < items.length; i += 2) dict.map.set(keyOf(items[i]), items[i + 1]);
  }
  append(target: unknown, items: unknown[]): void {
    const list = Array.isArray(target)
      ? target
      : target instanceof PickleCall
        ? (target.list ??= [])
        : this.fail('items are added to something that is no list');
    for (const item of items) list.push(item);
  }
  dictOf(items: unknown[]): PickleDict {
    const dict = new PickleDict();
    this.store(dict, items);
    return dict;
  }
}
