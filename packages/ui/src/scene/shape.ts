import { baselineShift, type SceneItem } from './types.js';

/** An SVG element of a scene. */
export interface Shape {
  tag: string;
  attributes: Record<string, string | number | undefined>;
  text?: string;
}

const round = (value: number) => Math.round(value * 100) / 100;

/**
 * The SVG element of an item, with no class or mark; null for a picture or a group, which have more to them. Pages and files are
 * both made from it.
 */
export function shapeOf(item: SceneItem, colour: (name: string) => string): Shape | null {
  if (item.kind === 'group' || item.kind === 'image') return null;
  if (item.kind === 'text') {
    const { x, y, text, anchor, size = 12, bold, rotate, fill = 'var(--_text)', halo, opacity } = item;
    const shift = baselineShift(item);
    return {
      tag: 'text',
      text,
      attributes: {
        ...(rotate
          ? { transform: `translate(${round(x)} ${round(y)}) rotate(${rotate})`, y: round(shift) }
          : { x: round(x), y: round(y + shift) }),
        'font-size': size,
        'font-weight': bold ? 600 : undefined,
        'text-anchor': anchor === 'start' ? undefined : anchor,
        fill: colour(fill),
        opacity,
        ...(halo
          ? {
              stroke: colour('var(--_surface)'),
              'stroke-width': 3,
              'stroke-linejoin': 'round',
              'paint-order': 'stroke',
            }
          : {}),
      },
    };
  }
  const paint = {
    fill: item.fill ? colour(item.fill) : 'none',
    'fill-opacity': item.fillOpacity,
    stroke: item.stroke && colour(item.stroke),
    'stroke-width': item.stroke ? item.strokeWidth : undefined,
    'stroke-dasharray': item.dash?.join(' '),
    'stroke-linejoin': item.join,
    opacity: item.opacity,
    'shape-rendering': item.crisp ? 'crispEdges' : undefined,
  };
  switch (item.kind) {
    case 'rect':
      return {
        tag: 'rect',
        attributes: {
          x: round(item.x),
          y: round(item.y),
          width: round(Math.max(0, item.width)),
          height: round(Math.max(0, item.height)),
          rx: item.radius,
          ...paint,
        },
      };
    case 'line':
      return {
        tag: 'line',
        attributes: {
          x1: round(item.x1),
          y1: round(item.y1),
          x2: round(item.x2),
          y2: round(item.y2),
          ...paint,
        },
      };
    case 'circle':
      return { tag: 'circle', attributes: { cx: round(item.x), cy: round(item.y), r: item.r, ...paint } };
    case 'path':
      return { tag: 'path', attributes: { d: item.d, ...paint } };
    case 'polygon':
      return {
        tag: 'polygon',
        attributes: { points: item.points.map((p) => p.map(round).join(',')).join(' '), ...paint },
      };
  }
}
