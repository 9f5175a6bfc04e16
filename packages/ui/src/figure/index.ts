// The shared ground of elements and views. How to build one on it: ui/README.md, "Adding an element".

export { type Painter, paintCanvas, painted } from './canvas.js';
export { bandPath, type Chart, type ChartSpec, chart, linePath } from './chart.js';
export {
  type DivergingName,
  diverging,
  hexColour,
  inkOn,
  MINUS,
  PLUS,
  type Rgb,
  robustExtent,
  sequential,
} from './colours.js';
export { decimate } from './decimate.js';
export {
  type ColourScale,
  type Drawing,
  type Frame,
  type LegendEntry,
  type Located,
  locateOnLines,
  locatePoint,
} from './drawing.js';
export { drawItems, drawn } from './drawn.js';
export { EsFigure, type ExportDetail, type ExportKind, type FileOptions } from './element.js';
export { setFontFolder } from './fonts.js';
export { EsLoaded, state } from './loaded.js';
export { mark } from './marks.js';
export { besideScene, type PaperOptions, paperScene, provenance } from './paper.js';
export { type AxisScale, type AxisSpec, axisScale, extentOf } from './scale.js';
export { type Cell, type FigureTable, tableOf, toCsv } from './table.js';
export { fitText, measureWith, wrapText } from './text.js';
