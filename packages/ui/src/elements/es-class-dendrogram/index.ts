import type { ClassTree, GeometryResult } from '@epochscope/analysis/results';
import { css, html, svg, type TemplateResult } from 'lit';
import { chart, EsFigure, type FigureTable, mark } from '../../figure/index.js';
import { classColour } from '../../palette.js';
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
  static override styles = [
    ...EsFigure.styles,
    css`
      .branch {
        fill: none;
        stroke: var(--_quiet);
        stroke-width: 1.5;
      }
      .branch:hover,
      .branch:focus-visible {
        stroke: var(--_accent);
        stroke-width: 3;
      }
      .leaf {
        stroke: var(--_surface);
      }
    `,
  ];
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

  protected override drawing({ trees, classes }: ClassDendrogramData): TemplateResult {
    const tree = chosen(trees, this.selection)!;
    const n = tree.classes.length;
    const order = this.members(tree, 2 * n - 2);
    const names = order.map((row) => this.nameOf(tree, row, classes));
    const { x, y, axes } = chart({
      width: this.width,
      height: 60 + n * ROW,
      measure: this.measure,
      grid: 'x',
      x: { domain: [0, tree.heights[n - 2]!], title: 'distance of mean log₁₀ spectra', zero: true },
      y: { kind: 'band', domain: [...names].reverse() },
    });
    const places = new Array<{ x: number; y: number }>(2 * n - 1);
    order.forEach((row, i) => {
      places[row] = { x: x.at(0), y: y.at(names[i]!) };
    });
    const branches = Array.from({ length: n - 1 }, (_, t) => {
      const [a, b] = [places[tree.left[t]!]!, places[tree.right[t]!]!];
      const at = x.at(tree.heights[t]!);
      places[n + t] = { x: at, y: (a.y + b.y) / 2 };
      const both = [tree.left[t]!, tree.right[t]!].map((node) =>
        this.members(tree, node)
          .map((row) => this.nameOf(tree, row, classes))
          .join(', '),
      );
      return svg`<path class="branch" d="M${a.x} ${a.y}H${at}V${b.y}H${b.x}" ${mark({
        label: `${both[0]} with ${both[1]}: ${format(tree.heights[t]!)}`,
      })} />`;
    });
    const leaves = order.map((row, i) => {
      const index = tree.classes[row]!;
      return svg`<circle class="leaf" cx=${places[row]!.x} cy=${places[row]!.y} r=${this.selection.class === index ? 7 : 5}
        style="fill:${classColour(index)}" ${mark({
          label: `${names[i]}, ${tree.counts[row]} ${tree.counts[row] === 1 ? 'input' : 'inputs'}`,
          detail: { class: index },
          selected: this.selection.class === index,
        })} />`;
    });
    return html`${this.plot({
      width: this.width,
      height: 60 + n * ROW,
      marks: true,
      svg: svg`${axes}${branches}${leaves}`,
    })}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'es-class-dendrogram': EsClassDendrogram;
  }
}
