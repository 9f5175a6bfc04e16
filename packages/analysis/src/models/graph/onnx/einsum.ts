import { product } from '../ops/definition.js';
import { text } from './attributes.js';
import { ProductOperators } from './products.js';
import { type Value, wide } from './values.js';

/** A value whose axes are letters of an equation. */
interface Term {
  letters: string[];
  value: Value;
}

/** Sums of products over named axes, as products of matrices. */
export abstract class EinsumOperators extends ProductOperators {
  /** Of any number of values, two at a time from the left; a letter once in each. */
  protected einsum(): void {
    const equation = text(this.node, 'equation', '').replace(/\s/g, '');
    const found = /^([A-Za-z]+(?:,[A-Za-z]+)*)(?:->([A-Za-z]*))?$/.exec(equation);
    const words = found?.[1]?.split(',').map((word) => [...word]) ?? [];
    const all = words.flat();
    const out = [
      ...(found?.[2] ??
        [...new Set(all)]
          .filter((l) => count(all, l) === 1)
          .sort()
          .join('')),
    ];
    if (
      !found ||
      words.length !== this.node.inputs.length ||
      [...words, out].some((word) => new Set(word).size < word.length) ||
      out.some((letter) => !all.includes(letter))
    )
      this.refuse(`equation ${equation} is not known`);
    const name = this.names.of(this.node);
    const terms = words.map((letters, i): Term => {
      const value = this.value(i);
      if (value.shape.length !== letters.length)
        this.refuse(`equation ${equation}: input ${i} is [${value.shape}]`, 'format');
      return { letters, value };
    });
    const samples = words.flatMap((word, i) =>
      terms[i]!.value.batch < 0 ? [] : word[terms[i]!.value.batch]!,
    )[0];
    if (samples !== undefined && !out.includes(samples)) this.refuse('it adds up over the samples');
    let left = this.without(terms[0]!, new Set([...out, ...words.slice(1).flat()]));
    for (let i = 1; i < terms.length; i++) {
      const later = new Set([...out, ...words.slice(i + 1).flat()]);
      const isLast = i === terms.length - 1;
      const own = this.without(terms[i]!, new Set([...later, ...left.letters]));
      left = this.without(left, new Set([...later, ...own.letters]));
      left = this.pair(left, own, later, isLast ? name : this.names.own(`${name}.part`));
    }
    const { letters, value } = left;
    const perm = out.map((letter) => letters.indexOf(letter));
    const turned: Value = {
      ...value,
      shape: perm.map((axis) => value.shape[axis]!),
      order: value.order.map((axis) => perm.indexOf(axis)),
      batch: samples === undefined ? -1 : out.indexOf(samples),
    };
    if (terms.length > 1) this.set(turned);
    else this.same({ kind: 'identity' }, turned, name);
  }

  /** Added up over letters that nothing else has. */
  private without({ letters, value }: Term, kept: ReadonlySet<string>): Term {
    const axes = letters.flatMap((letter, axis) => (kept.has(letter) ? [] : [axis]));
    if (!axes.length) return { letters, value };
    const held = this.arranged(
      { ...value, batch: -1 },
      letters.map((_, axis) => axis),
    );
    const made = this.push(
      { kind: 'sum', axes, keepDims: false },
      [held.node],
      this.names.own(`${held.node}.sum`),
    );
    const shape = value.shape.filter((_, axis) => !axes.includes(axis));
    return {
      letters: letters.filter((letter) => kept.has(letter)),
      value: { ...made, shape, order: wide(shape), batch: -1 },
    };
  }

  /** Axes that both have and keep, that both have and sum, and that one has, as one product of matrices. */
  private pair(a: Term, b: Term, kept: ReadonlySet<string>, name: string): Term {
    const shared = a.letters.filter((letter) => b.letters.includes(letter));
    const lead = shared.filter((letter) => kept.has(letter));
    const summed = shared.filter((letter) => !kept.has(letter));
    const rows = a.letters.filter((letter) => !shared.includes(letter));
    const columns = b.letters.filter((letter) => !shared.includes(letter));
    const side = (letter: string) => {
      const term = a.letters.includes(letter) ? a : b;
      return term.value.shape[term.letters.indexOf(letter)]!;
    };
    const sizes = (letters: string[]) => product(letters.map(side));
    const matrix = ({ letters, value }: Term, first: string[], second: string[]): Value => {
      const axes = [...lead, ...first, ...second].map((letter) => letters.indexOf(letter));
      const flat = [sizes(lead), sizes(first), sizes(second)];
      const held = this.arranged({ ...value, batch: -1 }, axes);
      const made = this.push(
        { kind: 'reshape', shape: flat },
        [held.node],
        this.names.own(`${held.node}.matrix`),
      );
      return { ...made, shape: flat, order: wide(flat), batch: -1 };
    };
    const made = this.product(
      matrix(a, rows, summed),
      matrix(b, summed, columns),
      this.names.own(`${name}.product`),
    );
    const letters = [...lead, ...rows, ...columns];
    const shape = letters.map(side);
    const whole = this.push({ kind: 'reshape', shape }, [made.node], name);
    return { letters, value: { ...whole, shape, order: wide(shape), batch: -1 } };
  }
}

const count = (letters: readonly string[], letter: string) => letters.filter((own) => own === letter).length;
