export { drawScene } from './canvas.js';
export { type Raster, rgbOf, scenePixels } from './raster.js';
export { sceneSvg } from './svg.js';
export { textWidth } from './text.js';
export {
  type FillItem,
  type GreyItem,
  moved,
  outline,
  type Scene,
  type SceneItem,
  type TextItem,
} from './types.js';
