// What elements are drawn with, for elements of one's own and for pictures without a page: figures, scenes and their SVG,
// canvas and PDF, colours, and the pictures of each method.

export { centroidPixels } from './elements/es-centroid-gallery/pixels.js';
export {
  MAX_TILES,
  type PlacedTile,
  placeTiles,
  type Tile,
  type TileGrid,
  tileGrid,
} from './elements/es-change-heatmap/tiles.js';
export { scatterOf } from './elements/es-change-scatter/index.js';
export { DIMENSION_TITLES } from './elements/es-dimension/index.js';
export {
  byPlace,
  type ChosenCluster,
  type Shown,
  sharedUnits,
  shownClusters,
} from './elements/es-module-flow/clusters.js';
export { roundSnapshot } from './elements/es-prune-rounds/index.js';
export { type PanelSceneOptions, panelScene, sharedScales } from './elements/es-tendency-image/draw.js';
export { unitPixels, weightColour, weightExtent } from './elements/es-weight-pictures/draw.js';
export * from './figure/index.js';
export { CLASS_COLOURS, CORRECT_COLOUR, classColour, greyLevel, WRONG_COLOUR } from './palette.js';
export * from './scene/index.js';
export {
  type FigureOptions,
  TENDENCY_FIGURES,
  type TendencyFigure,
  tendencyFigure,
} from './views/tendency/figures.js';
