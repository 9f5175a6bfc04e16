// Elements and views, and the types of what they are given. What draws them: ./drawing.

export { EsActivityBars } from './elements/es-activity-bars/index.js';
export { type CentroidData, EsCentroidGallery } from './elements/es-centroid-gallery/index.js';
export { EsChangeHeatmap } from './elements/es-change-heatmap/index.js';
export { EsChangeScatter, type ScatterData } from './elements/es-change-scatter/index.js';
export { type ClassDendrogramData, EsClassDendrogram } from './elements/es-class-dendrogram/index.js';
export { EsDifferenceBars } from './elements/es-difference-bars/index.js';
export { EsDifferenceMap } from './elements/es-difference-map/index.js';
export { type DimensionMeasure, EsDimension } from './elements/es-dimension/index.js';
export { EsFeaturePictures } from './elements/es-feature-pictures/index.js';
export { EsFeatures, type FeatureMeasure } from './elements/es-features/index.js';
export { EsLegend } from './elements/es-legend/index.js';
export { EsMetrics, type MetricSnapshot } from './elements/es-metrics/index.js';
export { EsModuleDendrogram } from './elements/es-module-dendrogram/index.js';
export { EsModuleFlow } from './elements/es-module-flow/index.js';
export { EsModuleTransition } from './elements/es-module-transition/index.js';
export { EsParameterPaths, type TracksData } from './elements/es-parameter-paths/index.js';
export { EsPathStrip } from './elements/es-path-strip/index.js';
export { EsPerturbation } from './elements/es-perturbation/index.js';
export { EsPruneRounds, type PruneSeries } from './elements/es-prune-rounds/index.js';
export { EsRemovalHistogram } from './elements/es-removal-histogram/index.js';
export { EsRule, type RuleData } from './elements/es-rule/index.js';
export { EsSampleGallery } from './elements/es-sample-gallery/index.js';
export { EsSelectivity } from './elements/es-selectivity/index.js';
export { EsSeriesCheck } from './elements/es-series-check/index.js';
export { EsSingularVectors, type SingularVectorsData } from './elements/es-singular-vectors/index.js';
export { EsSpectrum } from './elements/es-spectrum/index.js';
export { EsTangentAlignment } from './elements/es-tangent-alignment/index.js';
export { EsTendencyGrid, type GridSelectDetail } from './elements/es-tendency-grid/index.js';
export type { MarkColour } from './elements/es-tendency-image/draw.js';
export {
  EsTendencyImage,
  type TendencySelectDetail,
  type TendencyZoomDetail,
} from './elements/es-tendency-image/index.js';
export { EsTendencyScores, type ScoreMeasure } from './elements/es-tendency-scores/index.js';
export { type Agreement, EsTendencyThinning } from './elements/es-tendency-thinning/index.js';
export { EsThetaSweep } from './elements/es-theta-sweep/index.js';
export { EsTimeline, type TimelineSnapshot } from './elements/es-timeline/index.js';
export { EsUpdateSizes } from './elements/es-update-sizes/index.js';
export type { WeightMode, WeightPalette } from './elements/es-weight-pictures/draw.js';
export { EsWeightPictures, type WeightPicturesData } from './elements/es-weight-pictures/index.js';
export type { EpochscopeEvents, SelectDetail } from './events.js';
export {
  EsFigure,
  type ExportDetail,
  type ExportKind,
  type FileOptions,
  setFontFolder,
} from './figure/index.js';
export { mergeSelection, type Selection } from './selection.js';
export { EsActivityView } from './views/activity/index.js';
export { EsChangeView } from './views/change/index.js';
export { EsDifferenceView } from './views/difference/index.js';
export { EsFeaturesView } from './views/features/index.js';
export { EsGeometryView } from './views/geometry/index.js';
export { VIEWS } from './views/index.js';
export { EsModulesView } from './views/modules/index.js';
export { EsPathView } from './views/path/index.js';
export { EsPruneView } from './views/prune/index.js';
export { EsTendencyView } from './views/tendency/index.js';
export { EsTracksView } from './views/tracks/index.js';
export { EsWatchView } from './views/watch/index.js';
