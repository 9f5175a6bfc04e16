// Importing this registers every element; a tag that is taken already is left alone.
import { EsLegend } from './elements/es-legend/index.js';
import { EsMetrics } from './elements/es-metrics/index.js';
import { EsRunOverview } from './elements/es-run-overview/index.js';
import { EsSampleGallery } from './elements/es-sample-gallery/index.js';
import { EsTendencyGrid } from './elements/es-tendency-grid/index.js';
import { EsTendencyImage } from './elements/es-tendency-image/index.js';
import { EsTendencyScores } from './elements/es-tendency-scores/index.js';
import { EsTendencyThinning } from './elements/es-tendency-thinning/index.js';
import { EsTimeline } from './elements/es-timeline/index.js';
import { EsTendencyView } from './views/tendency/index.js';

const TAGS: Record<string, CustomElementConstructor> = {
  'es-legend': EsLegend,
  'es-metrics': EsMetrics,
  'es-run-overview': EsRunOverview,
  'es-sample-gallery': EsSampleGallery,
  'es-tendency-grid': EsTendencyGrid,
  'es-tendency-image': EsTendencyImage,
  'es-timeline': EsTimeline,
  'es-tendency-scores': EsTendencyScores,
  'es-tendency-thinning': EsTendencyThinning,
  'es-tendency-view': EsTendencyView,
};

if (typeof customElements !== 'undefined') {
  for (const [tag, element] of Object.entries(TAGS))
    if (!customElements.get(tag)) customElements.define(tag, element);
}
