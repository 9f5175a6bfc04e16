import type { ResultBase, TendencyResult } from '@epochscope/analysis/results';
import { EsTendencyImage } from '../elements/es-tendency-image/index.js';
import { pngOf } from '../figure/export.js';
import { EsFigure, paperScene, provenance } from '../figure/index.js';
import { measureWith } from '../figure/text.js';
import { FONT } from '../scene/index.js';
import { tendencyFigure } from '../views/tendency/figures.js';

/** Of the picture that a saved notebook keeps, in CSS pixels, and its pixels a CSS pixel. */
const WIDTH = 640;
const SCALE = 1.5;
/** More panels than this are kept as the last one alone. */
const MOST_PANELS = 40;

export interface Picture {
  png: Uint8Array<ArrayBuffer>;
  /** For those who do not see it. */
  words: string;
}

/** A result as one picture with its caption, on white; `view` is where it is drawn on the page. Null where nothing of it is a figure. */
export async function pictureOf(result: ResultBase, view: Element): Promise<Picture | null> {
  const figure =
    result.method === 'tendency' ? ofTendency(result as TendencyResult) : await firstFigure(view);
  if (!figure) return null;
  const png = new Uint8Array(await (await figure.png()).arrayBuffer());
  return { png, words: figure.words };
}

function ofTendency(result: TendencyResult) {
  const { panels } = result;
  if (!panels.length) return null;
  if (panels.length === 1 || panels.length > MOST_PANELS) {
    const data = panels.at(-1)!;
    return ofFigure(Object.assign(new EsTendencyImage(), { data, result, classes: result.samples.classes }));
  }
  const measure = measureWith(FONT);
  const title = 'Cluster tendency by layer and snapshot';
  const caption = `iVAT pictures: each shows the distances of all samples in the order of VAT. ${provenance(result)}`;
  const drawing = tendencyFigure(result, 'layers', { width: WIDTH - 16, measure, dark: false });
  return {
    words: `${title}. ${caption}`,
    png: () => pngOf(paperScene(drawing, { measure, title, caption }), SCALE),
  };
}

/** What is asked of a figure, whatever it draws. */
type Figure = Pick<EsFigure<object>, 'captions' | 'toPNG' | 'toSVG' | 'updateComplete'>;

const ofFigure = (figure: Figure) => {
  const { title, caption } = figure.captions();
  const words = caption.startsWith(title) ? caption : `${title}. ${caption}`;
  return { words, png: () => figure.toPNG(SCALE, { width: WIDTH }) };
};

/** The first figure in a view that is drawn, as it stands there. */
async function firstFigure(view: Element) {
  for (const figure of figuresIn(view)) {
    await figure.updateComplete;
    try {
      figure.captions();
      figure.toSVG({ width: WIDTH });
      return ofFigure(figure);
    } catch {
      // Nothing to draw in this one.
    }
  }
  return null;
}

function* figuresIn(root: Element | ShadowRoot): Generator<Figure> {
  if (root instanceof EsFigure) yield root as Figure;
  for (const child of root.children) yield* figuresIn(child);
  if (root instanceof Element && root.shadowRoot) yield* figuresIn(root.shadowRoot);
}
