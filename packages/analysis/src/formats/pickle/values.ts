/** A class or function by name; nothing is imported. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}
/** What a stream would have Python call; nothing is. `state` is what BUILD gave, `items` what it stored in it. */
export class PickleCall {
  state: unknown = undefined;
  items: PickleDict | null = null;
  list: unknown[] | null = null;
  constructor(
    readonly callee: unknown,
    readonly args: unknown,
  ) {}
}
/** A persistent id: a thing kept outside the stream. */
export class PicklePersistent {
  constructor(readonly id: unknown) {}
}
export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}
/** Pairs in order; keys that are texts or numbers also by value. */
export class PickleDict {
  readonly map = new Map<unknown, unknown>();
}
