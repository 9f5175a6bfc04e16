import type { ClassTree, GeometryResult } from '@epochscope/analysis/results';
import { chart, type Drawing, EsFigure, type FigureTable, type Frame } from '../../figure/index.js';
import { classColour } from '../../palette.js';
import type { SceneItem } from '../../scene/index.js';
import { format } from '../../styles.js';
import { chosen } from '../es-spectrum/series.js';

/** Trees of a result with the names of its classes. */
export interface ClassDendrogramData {
  trees: readonly ClassTree[];
  classes: readonly string[] | null;
}

const ROW = 22;

/**
 * Classes joined by how alike their mean log-spectra are (average linkage); where two branches meet is their distance. At the
 * chosen snapshot and layer.
 * @fires es-select - `{ class }`.
 */
export class EsClassDendrogram extends EsFigure<ClassDendrogramData, GeometryResult> {
  protected override pick(result: GeometryResult): ClassDendrogramData {
    return { trees: result.classTrees, classes: result.samples.classes };
  }
  protected override emptyReason({ trees }: ClassDendrogramData): string {
    return trees.length ? '' : 'It takes inputs of two classes or more.';
  }
  private nameOf(tree: ClassTree, row: number, classes: ClassDendrogramData['classes']): string {
    const index = tree.classes[row]!;
    return classes?.[index] ?? `class ${index}`;
  }
  /** Names below a node. */
  private members(tree: ClassTree, node: number): number[] {
    const n = tree.classes.length;
    return node < n
      ? [node]
      : [...this.members(tree, tree.left[node - n]!), ...this.members(tree, tree.right[node - n]!)];
  }
  protected override summary({ trees, classes }: ClassDendrogramData): string {
    const tree = chosen(trees, this.selection)!;
    const first = this.members(tree, tree.classes.length);
    const agreement =
      tree.agreement.value === null
        ? ''
        : `; cophenetic correlation with the given hierarchy ${tree.agreement.value.toFixed(2)}`;
    return `Tree of ${tree.classes.length} classes by their spectra at ${tree.to}; the nearest are ${first.map((row) => this.nameOf(tree, row, classes)).join(' and ')} at ${format(tree.heights[0]!)}${agreement}`;
  }
  protected override table({ trees, classes }: ClassDendrogramData): FigureTable {
    const tree = chosen(trees, this.selection)!;
    const n = tree.classes.length;
    const names = (node: number) =>
      this.members(tree, node)
        .map((row) => this.nameOf(tree, row, classes))
        .join(', ');
    return {
      columns: ['Joined', 'With', 'Distance'],
      length: n - 1,
      row: (i) => [names(tree.left[i]!), names(tree.right[i]!), tree.heights[i]!],
    };
  }

  protected override draw({ trees, classes }: ClassDendrogramData, { width, measure }: Frame): Drawing {
    const tree = chosen(trees, this.selection)!;
    const n = tree.classes.length;
    const order = this.members(tree, 2 * n - 2);
    const names = order.map((row) => this.nameOf(tree, row, classes));
    const height = 60 + n * ROW;
    const { x, y, axes } = chart({
      width,
      height,
      measure,
      grid: 'x',
      x: { domain: [0, tree.heights[n - 2]!], title: 'distance of mean log₁₀ spectra', zero: true },
      y: { kind: 'band', domain: [...names].reverse() },
    });
    const places = new Array<{ x: number; y: number }>(2 * n - 1);
    order.forEach((row, i) => {
      places[row] = { x: x.at(0), y: y.at(names[i]!) };
    });
    const branches = Array.from({ length: n - 1 }, (_, t): SceneItem => {
      const [a, b] = [places[tree.left[t]!]!, places[tree.right[t]!]!];
      const at = x.at(tree.heights[t]!);
      places[n + t] = { x: at, y: (a.y + b.y) / 2 };
      const both = [tree.left[t]!, tree.right[t]!].map((node) =>
        this.members(tree, node)
          .map((row) => this.nameOf(tree, row, classes))
          .join(', '),
      );
      return {
        kind: 'path',
        class: 'line',
        d: `M${a.x} ${a.y}H${at}V${b.y}H${b.x}`,
        stroke: 'var(--_quiet)',
        strokeWidth: 1.5,
        mark: { label: `${both[0]} with ${both[1]}: ${format(tree.heights[t]!)}` },
      };
    });
    const leaves = order.map((row, i): SceneItem => {
      const index = tree.classes[row]!;
      const selected = this.selection.class === index;
      return {
        kind: 'circle',
        ...places[row]!,
        r: selected ? 7 : 5,
        fill: classColour(index),
        stroke: 'var(--_surface)',
        mark: {
          label: `${names[i]}, ${tree.counts[row]} ${tree.counts[row] === 1 ? 'input' : 'inputs'}`,
          detail: { class: index },
          selected,
        },
      };
    });
    return { width, height, items: [axes, ...branches, ...leaves] };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-class-dendrogram': EsClassDendrogram;
  }
}
