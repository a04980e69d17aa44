// Plain numbers: what is computed from arrays, and how they are written.

/** Largest absolute value. */
export function largest(values) {
  let peak = 0;
  for (const value of values) if (Math.abs(value) > peak) peak = Math.abs(value);
  return peak;
}

/** Mean of a map: the part of the logit that places explain. */
export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Indices of the `count` largest values, largest first; equal ones in their own order. */
export function strongest(values, count) {
  const indices = Array.from(values.keys());
  return indices.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}

/** How many digits after the point give numbers up to `peak` so many figures; 6 at most, 2 for zero. */
export const digitsFor = (peak, figures = 3) =>
  peak ? Math.min(6, Math.max(0, figures - 1 - Math.floor(Math.log10(Math.abs(peak))))) : 2;

/** A number with so many digits, a real minus, and no minus before zero. */
export const number = (value, digits) => {
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) ? "−" : "") + text;
};

/** The same, with a plus before what is positive. */
export const withSign = (value, digits) => {
  const text = number(value, digits);
  return Number(text) > 0 ? `+${text}` : text;
};

export const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
