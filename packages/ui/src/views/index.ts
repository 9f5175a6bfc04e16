/** Method → tag of the view that draws its result. One line a view. */
export const VIEWS: Record<string, string> = {
  geometry: 'es-geometry-view',
  prune: 'es-prune-view',
  modules: 'es-modules-view',
  tendency: 'es-tendency-view',
  change: 'es-change-view',
  tracks: 'es-tracks-view',
  activity: 'es-activity-view',
  difference: 'es-difference-view',
  'difference-map': 'es-difference-map',
  features: 'es-features-view',
  path: 'es-path-view',
  check: 'es-check-view',
  watch: 'es-watch-view',
};
