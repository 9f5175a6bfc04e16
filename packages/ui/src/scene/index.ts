export { imagesOf, paintScene, pngAddress } from './canvas.js';
export { PAPER, resolveColour, rgbOf, type Theme } from './colour.js';
export { type Font, type Fonts, fontMeasure, missingGlyphs, readFont } from './font.js';
export { type PdfOptions, scenePdf } from './pdf.js';
export { enlarged, matrixPixels, rgba } from './pixels.js';
export { FONT, type SvgOptions, sceneSvg } from './svg.js';
export type {
  CircleItem,
  Colour,
  GroupItem,
  ImageItem,
  LineItem,
  Mark,
  Measure,
  PathItem,
  Pixels,
  PolygonItem,
  RectItem,
  Scene,
  SceneItem,
  TextItem,
} from './types.js';
