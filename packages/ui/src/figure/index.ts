// The shared ground of elements and views. How to build one on it: ui/README.md, "Adding an element".
export { drawMatrix, type Painter, paintCanvas, painted, type Rgb } from './canvas.js';
export { bandPath, type Chart, type ChartSpec, chart, linePath } from './chart.js';
export { cssColour, type DivergingName, diverging, inkOn, sequential } from './colours.js';
export { decimate } from './decimate.js';
export { type Colours, EsFigure, type ExportDetail, type ExportKind, type PlotLayers } from './element.js';
export { EsLoaded, state } from './loaded.js';
export { type Mark, mark } from './marks.js';
export { type AxisScale, type AxisSpec, axisScale, extentOf } from './scale.js';
export { type Cell, type FigureTable, tableOf, toCsv } from './table.js';
export { fitText, type Measure, measureWith } from './text.js';
