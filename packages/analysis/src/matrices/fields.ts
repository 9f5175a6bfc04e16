import { SHEET_ERROR } from '../formats/csv.js';

// What one field of a table is. Every expression is linear: no part of it can match what the next one can.

const POINT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const COMMA = /^[+-]?(?:\d+(?:,\d*)?|,\d+)(?:[eE][+-]?\d+)?$/;
/** No number is written with more characters: float64 has at most 767 digits that count. */
const LONGEST = 1200;

/** The number a field holds; NaN for any other text, infinity for one beyond float64. */
export function numberOf(field: string, decimalComma = false): number {
  if (field.length === 0 || field.length > LONGEST) return Number.NaN;
  if (!decimalComma) return POINT.test(field) ? Number(field) : Number.NaN;
  return COMMA.test(field) ? Number(field.replace(',', '.')) : Number.NaN;
}

const MISSING = new Set([
  '',
  'na',
  'n/a',
  '#n/a',
  'nan',
  'null',
  'none',
  'nil',
  'missing',
  '?',
  '-',
  '.',
  '<na>',
]);

/** Whether a field says that there is no value. */
export const isMissing = (field: string): boolean => field.length < 12 && MISSING.has(field.toLowerCase());

/** 1 for true, 0 for false, null for anything else. */
export function truthOf(field: string): 0 | 1 | null {
  if (field.length > 5) return null;
  const word = field.toLowerCase();
  return word === 'true' ? 1 : word === 'false' ? 0 : null;
}

/** Signs, currencies, digits and what groups them. */
const DECORATED = /^[\p{Sc}\p{Pd}\u2212+().,'’_%‰\s\d]+(?:e[+-]?\d+)?[%‰\p{Sc}\s)]*$/iu;

/** Whether a field is a value rather than a name: a number, a missing, infinite, failed or decorated one. */
export function looksLikeValue(field: string): boolean {
  if (isMissing(field) || truthOf(field) !== null) return true;
  if (SHEET_ERROR.test(field)) return true;
  if (/^[+-]?inf(?:inity)?$/i.test(field)) return true;
  if (field.length > 60) return Number.isFinite(numberOf(field)) || /^[\d.,+-]+$/.test(field);
  return /\d/.test(field) && DECORATED.test(field);
}

/** Whether digits stand in groups of three, as "1,500" and "1.234.567,8" (`mark` between thousands). */
export function isGrouped(field: string, mark: ',' | '.'): boolean {
  if (field.length > 60) return false;
  return (
    mark === ',' ? /^[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?$/ : /^[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?$/
  ).test(field);
}
