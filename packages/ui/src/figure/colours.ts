import { scaleLinear } from 'd3-scale';
import type { Rgb } from './canvas.js';

export type DivergingName = 'red-blue' | 'orange-purple';

const parse = (colour: string): Rgb => {
  const [r, g, b] = colour.match(/\d+(\.\d+)?/g)!.map(Number);
  return [Math.round(r!), Math.round(g!), Math.round(b!)];
};

/** 257 steps of a colour map through stops at even distances, as bytes: an odd number, so that the middle is a stop. */
function table(stops: readonly string[]): Rgb[] {
  const scale = scaleLinear<string>(
    stops.map((_, i) => i / (stops.length - 1)),
    stops,
  );
  return Array.from({ length: 257 }, (_, i) => parse(scale(i / 256)));
}

const STOPS: Record<DivergingName, readonly string[]> = {
  'red-blue': ['#b2182b', '#ef8a62', '#ffffff', '#67a9cf', '#2166ac'],
  'orange-purple': ['#b35806', '#f1a340', '#ffffff', '#998ec3', '#542788'],
};
const tables = new Map<string, Rgb[]>();
const tableOf = (name: string, stops: readonly string[]): Rgb[] => {
  let found = tables.get(name);
  if (!found) tables.set(name, (found = table(stops)));
  return found;
};
const NOT_A_NUMBER: Rgb = [128, 128, 128];

/** Bytes of a signed value: decrease −extent red, 0 white, increase +extent blue (or the colour-vision-safe pair). NaN is grey. */
export function diverging(name: DivergingName = 'red-blue'): (value: number, extent: number) => Rgb {
  const colours = tableOf(name, STOPS[name]);
  return (value, extent) => {
    if (Number.isNaN(value)) return NOT_A_NUMBER;
    const share = extent > 0 ? Math.min(1, Math.max(-1, value / extent)) : Math.sign(value) * 0;
    return colours[Math.round(128 + 128 * share)]!;
  };
}

/** Bytes of a value within [low, high], light to dark (a colour-vision-safe blue run). NaN is grey. */
export function sequential(): (value: number, low: number, high: number) => Rgb {
  const colours = tableOf('blues', ['#f7fbff', '#c6dbef', '#6baed6', '#2171b5', '#08306b']);
  return (value, low, high) => {
    if (Number.isNaN(value)) return NOT_A_NUMBER;
    const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
    return colours[Math.round(256 * share)]!;
  };
}

/** As a CSS colour. */
export const cssColour = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;
/** Black or white, whichever reads better on the colour. */
export const inkOn = ([r, g, b]: Rgb): string =>
  0.299 * r + 0.587 * g + 0.114 * b > 140 ? '#000000' : '#ffffff';
