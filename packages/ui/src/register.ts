// Importing this registers every element; a tag that is taken already is left alone.

import { EsTendencyView } from './computing.js';
import { EsActivityBars } from './elements/es-activity-bars/index.js';
import { EsCentroidGallery } from './elements/es-centroid-gallery/index.js';
import { EsChangeHeatmap } from './elements/es-change-heatmap/index.js';
import { EsChangeScatter } from './elements/es-change-scatter/index.js';
import { EsClassDendrogram } from './elements/es-class-dendrogram/index.js';
import { EsDifferenceBars } from './elements/es-difference-bars/index.js';
import { EsDifferenceMap } from './elements/es-difference-map/index.js';
import { EsDimension } from './elements/es-dimension/index.js';
import { EsFeaturePictures } from './elements/es-feature-pictures/index.js';
import { EsFeatures } from './elements/es-features/index.js';
import { EsLegend } from './elements/es-legend/index.js';
import { EsMetrics } from './elements/es-metrics/index.js';
import { EsModuleDendrogram } from './elements/es-module-dendrogram/index.js';
import { EsModuleFlow } from './elements/es-module-flow/index.js';
import { EsModuleTransition } from './elements/es-module-transition/index.js';
import { EsParameterPaths } from './elements/es-parameter-paths/index.js';
import { EsPathStrip } from './elements/es-path-strip/index.js';
import { EsPerturbation } from './elements/es-perturbation/index.js';
import { EsPruneRounds } from './elements/es-prune-rounds/index.js';
import { EsRemovalHistogram } from './elements/es-removal-histogram/index.js';
import { EsRule } from './elements/es-rule/index.js';
import { EsSampleGallery } from './elements/es-sample-gallery/index.js';
import { EsSelectivity } from './elements/es-selectivity/index.js';
import { EsSeriesCheck } from './elements/es-series-check/index.js';
import { EsSingularVectors } from './elements/es-singular-vectors/index.js';
import { EsSpectrum } from './elements/es-spectrum/index.js';
import { EsTangentAlignment } from './elements/es-tangent-alignment/index.js';
import { EsTendencyGrid } from './elements/es-tendency-grid/index.js';
import { EsTendencyImage } from './elements/es-tendency-image/index.js';
import { EsTendencyScores } from './elements/es-tendency-scores/index.js';
import { EsTendencyThinning } from './elements/es-tendency-thinning/index.js';
import { EsThetaSweep } from './elements/es-theta-sweep/index.js';
import { EsTimeline } from './elements/es-timeline/index.js';
import { EsUpdateSizes } from './elements/es-update-sizes/index.js';
import { EsWeightPictures } from './elements/es-weight-pictures/index.js';
import { EsActivityView } from './views/activity/index.js';
import { EsChangeView } from './views/change/index.js';
import { EsCheckView } from './views/check/index.js';
import { EsDifferenceView } from './views/difference/index.js';
import { EsFeaturesView } from './views/features/index.js';
import { EsGeometryView } from './views/geometry/index.js';
import { EsModulesView } from './views/modules/index.js';
import { EsPathView } from './views/path/index.js';
import { EsPruneView } from './views/prune/index.js';
import { EsTracksView } from './views/tracks/index.js';
import { EsWatchView } from './views/watch/index.js';

const TAGS: Record<string, CustomElementConstructor> = {
  'es-activity-bars': EsActivityBars,
  'es-change-heatmap': EsChangeHeatmap,
  'es-change-scatter': EsChangeScatter,
  'es-parameter-paths': EsParameterPaths,
  'es-selectivity': EsSelectivity,
  'es-update-sizes': EsUpdateSizes,
  'es-activity-view': EsActivityView,
  'es-change-view': EsChangeView,
  'es-tracks-view': EsTracksView,
  'es-difference-bars': EsDifferenceBars,
  'es-difference-map': EsDifferenceMap,
  'es-difference-view': EsDifferenceView,
  'es-feature-pictures': EsFeaturePictures,
  'es-features': EsFeatures,
  'es-features-view': EsFeaturesView,
  'es-path-strip': EsPathStrip,
  'es-path-view': EsPathView,
  'es-rule': EsRule,
  'es-watch-view': EsWatchView,
  'es-series-check': EsSeriesCheck,
  'es-check-view': EsCheckView,
  'es-centroid-gallery': EsCentroidGallery,
  'es-module-dendrogram': EsModuleDendrogram,
  'es-module-flow': EsModuleFlow,
  'es-module-transition': EsModuleTransition,
  'es-modules-view': EsModulesView,
  'es-theta-sweep': EsThetaSweep,
  'es-class-dendrogram': EsClassDendrogram,
  'es-dimension': EsDimension,
  'es-perturbation': EsPerturbation,
  'es-singular-vectors': EsSingularVectors,
  'es-spectrum': EsSpectrum,
  'es-tangent-alignment': EsTangentAlignment,
  'es-geometry-view': EsGeometryView,
  'es-legend': EsLegend,
  'es-metrics': EsMetrics,
  'es-prune-rounds': EsPruneRounds,
  'es-prune-view': EsPruneView,
  'es-removal-histogram': EsRemovalHistogram,
  'es-sample-gallery': EsSampleGallery,
  'es-tendency-grid': EsTendencyGrid,
  'es-tendency-image': EsTendencyImage,
  'es-timeline': EsTimeline,
  'es-tendency-scores': EsTendencyScores,
  'es-tendency-thinning': EsTendencyThinning,
  'es-tendency-view': EsTendencyView,
  'es-weight-pictures': EsWeightPictures,
};

if (typeof customElements !== 'undefined') {
  for (const [tag, element] of Object.entries(TAGS))
    if (!customElements.get(tag)) customElements.define(tag, element);
}
