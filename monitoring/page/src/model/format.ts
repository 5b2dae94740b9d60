// Figures and moments as people read them. Pure; the locale is the browser's.

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;

/** "0.4 s", "12 s", "3 min", "2 h 5 min", "4 d 3 h": two units at most. */
export function duration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < kSecond) return `${Math.round(span)} ms`;
  if (span < 10 * kSecond) return `${trim(span / kSecond, 1)} s`;
  if (span < kMinute) return `${Math.floor(span / kSecond)} s`;
  if (span < kHour) return pair(span, kMinute, 'min', kSecond, 's', 10);
  if (span < kDay) return pair(span, kHour, 'h', kMinute, 'min', 100);
  return pair(span, kDay, 'd', kHour, 'h', 100);
}

/** An age of which only the whole seconds matter: "1 s", "42 s", "3 min 5 s". */
export function age(ms: number): string {
  return duration(Math.max(0, Math.floor(ms / kSecond)) * kSecond).replace(/^0 ms$/, '0 s');
}

function pair(
  span: number,
  unit: number,
  name: string,
  lower: number,
  lowerName: string,
  upTo: number,
): string {
  const whole = Math.floor(span / unit);
  const rest = Math.floor((span % unit) / lower);
  const showsRest = rest > 0 && whole < upTo;
  return showsRest ? `${whole} ${name} ${rest} ${lowerName}` : `${whole} ${name}`;
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.0+$/, '');
}

/** 1234567 → "1,234,567"; below ten with up to two digits after the point. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return new Intl.NumberFormat('en', { maximumFractionDigits: digits }).format(value);
}

/** A figure with its unit; seconds are read as a duration. */
export function measure(value: number | undefined, unit: string | undefined): string {
  if (value === undefined) return '';
  if (unit === 'seconds') return duration(value * kSecond);
  return unit ? `${figure(value)} ${unit}` : figure(value);
}

/** "14:03:22", and with the day where it is not today's: "20 Nov 14:03:22". */
export function moment(ms: number, now: number): string {
  const at = new Date(ms);
  const time = at.toLocaleTimeString('en-GB');
  if (at.toDateString() === new Date(now).toDateString()) return time;
  return `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${time}`;
}

/** The first and last part of an order's id: enough to tell two apart in a list. */
export function shortId(id: string): string {
  return id.length > 18 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id;
}

export function isOrderId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text.trim());
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${figure(n)} ${n === 1 ? one : many}`;
}

/** "a", "a and b", "a, b and c", "a, b and 4 more". */
export function listing(words: string[], atMost = 3): string {
  if (words.length <= 1) return words.join('');
  const shown = words.length > atMost ? words.slice(0, atMost - 1) : words.slice(0, -1);
  const left = words.length - shown.length;
  const last = left === 1 ? words[words.length - 1] : `${left} more`;
  return `${shown.join(', ')} and ${last}`;
}

/** An event's note or a context as text: objects indented, everything else as it is. */
export function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** Text that is JSON, indented; everything else as it is. */
export function prettyJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}
