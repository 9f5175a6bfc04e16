import { html, nothing, type TemplateResult } from 'lit';
import { format } from '../styles.js';

export type Cell = string | number | null | undefined;

/** A figure's numbers, read row by row so that 100 000 points cost nothing until they are asked for. */
export interface FigureTable {
  columns: readonly string[];
  length: number;
  row(index: number): readonly Cell[];
  /** Default "Data as a table". */
  caption?: string;
}

/** Rows shown on the page; the CSV holds all. */
export const TABLE_ROWS = 200;

/** Rows of a list as a `FigureTable`. */
export function tableOf<Item>(
  columns: readonly string[],
  items: ArrayLike<Item>,
  row: (item: Item, index: number) => readonly Cell[],
  caption?: string,
): FigureTable {
  return { columns, length: items.length, row: (i) => row(items[i]!, i), caption };
}

const cellText = (cell: Cell) =>
  typeof cell === 'number' ? (Number.isInteger(cell) ? String(cell) : format(cell)) : (cell ?? '–');

export function tableTemplate(table: FigureTable): TemplateResult {
  const shown = Math.min(table.length, TABLE_ROWS);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${table.caption ?? 'Data as a table'}><table>
      <thead><tr>${table.columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${Array.from({ length: shown }, (_, i) => html`<tr>${table.row(i).map((cell) => html`<td>${cellText(cell)}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${shown < table.length ? html`<p class="note">The first ${shown} of ${table.length} rows; the CSV holds all.</p>` : nothing}`;
}

const quoted = (cell: Cell) => {
  const text = cell === null || cell === undefined || Number.isNaN(cell) ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

/** RFC 4180 with line feeds; undefined cells are empty. */
export function toCsv(table: FigureTable): string {
  const lines = [table.columns.map(quoted).join(',')];
  for (let i = 0; i < table.length; i++) lines.push(table.row(i).map(quoted).join(','));
  return `${lines.join('\n')}\n`;
}
