'use strict';
// Tables of JavaScript: named columns that lie in memory as Arrow's columnar format says. The part of the kernel that is
// loaded when the first table is met, as buffers.js is: kernel.js runs this text as a function of `kernel` and `buffers`.
//
// A *column* is { format, rows, values, validity, offsets, data, dictionary, isOrdered }: `values` are the numbers it is made of, `validity`
// the bits of what is not null, `offsets` and `data` those of texts, `dictionary` the column that `values` are places in.

const {
  natives, Failure, Tagged, asError, has, own, push, mapGet, mapSet, setAdd, mapForEach, weakGet, weakSet, getPrototypeOf, isArray, isText,
  receive, tripleField, entryOf, typeName, clean, ownerText, describeValue, stringifyJSON, toText, bufferFrom, byteLength, decodeUTF8, isSafeInteger, test, slice, join, isDate, dateTime,
} = kernel;
const { Map: NativeMap, WeakMap, Uint8Array, Uint32Array, Int32Array, Float64Array, BigInt64Array, BigUint64Array, BigInt, Number, Math, Object } = natives;
const { floor, min, max } = Math;

const { keysOf } = natives;
const lengthOf = (part) => part.length;
const NUMBERS = { __proto__: null };
for (const name of ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float16', 'float32', 'float64', 'complex64', 'complex128']) NUMBERS[name] = name;
const STORED = { __proto__: null, date32: 'int32', date64: 'int64', 'time32[s]': 'int32', 'time32[ms]': 'int32', 'time64[us]': 'int64', 'time64[ns]': 'int64' };
const UNITS = { __proto__: null, s: 1n, ms: 1000n, us: 1000000n, ns: 1000000000n };
for (const unit of ['s', 'ms', 'us', 'ns']) STORED[`duration[${unit}]`] = 'int64';

/** [whole, unit, zone] of `timestamp[ns, UTC]`; null for other formats. */
const zoneOf = (format) => test(/^timestamp\[(s|ms|us|ns)(?:, ([\w+\-/:]+))?\]$/, format);
/** The format of the numbers that a column of a format is made of; undefined for one that is made of something else. */
const storedFor = (format) => NUMBERS[format] ?? STORED[format] ?? (zoneOf(format) === null ? undefined : 'int64');

const unreadable = (message) => new Failure('wire/unreadable', message);
const open = (work) => (...values) => { try { return work(...values); } catch (error) { throw asError(error); } };
const damaged = (why) => unreadable(`a column is damaged: ${why}`);

// ----------------------------------------------------------------------------------------------------------- items

const bitAt = (bits, row) => (bits[row >> 3] >> (row & 7)) & 1;
const isNull = (column, row) => column.format === 'null' || (column.validity !== null && bitAt(column.validity, row) === 0);
const plainNumber = (value) => (typeof value === 'bigint' && isSafeInteger(Number(value)) ? Number(value) : value);

function itemOf(column, row) {
  if (isNull(column, row)) return null;
  if (column.offsets !== null) return textOf(column, row);
  if (column.format === 'bool') return column.data === null ? column.values[row] !== 0 : bitAt(column.data, row) === 1;
  const value = typeof column.values.get === 'function' ? column.values.get(row) : column.values[row];
  if (column.dictionary !== null) {
    const place = Number(value);
    if (!(place >= 0 && place < column.dictionary.rows)) throw damaged(`place ${place} is outside its dictionary of ${column.dictionary.rows}`);
    return itemOf(column.dictionary, place);
  }
  return column.format in NUMBERS ? plainNumber(value) : momentOf(column.format, BigInt(value));
}

function textOf({ format, offsets, data }, row) {
  const start = Number(offsets[row]);
  const end = Number(offsets[row + 1]);
  if (!(start >= 0 && start <= end && end <= lengthOf(data))) throw damaged(`row ${row} lies from byte ${start} to ${end} of ${lengthOf(data)}`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset + start, end - start);
  if (format === 'binary') return new Uint8Array(bytes);
  let text = '';
  for (let at = 0; at < bytes.length && text !== null; at++) text = at < 24 && bytes[at] < 128 ? text + natives.String.fromCharCode(bytes[at]) : null;
  if (text !== null) return text; // a short ASCII text: several times as fast as a decoder
  try { return decodeUTF8(bytes); } catch { throw damaged(`row ${row} is not UTF-8`); }
}

const two = (number) => natives.String(number).padStart(2, '0');
const divide = (value, by) => { const rest = ((value % by) + by) % by; return [(value - rest) / by, rest]; };
const fractionText = (rest, unit) => (rest === 0n ? '' : `.${natives.String(rest * (1000000000n / UNITS[unit])).padStart(9, '0').replace(/(000){1,2}$/, '')}`);

/** What a number of a format stands for: a Date where that says all of it, otherwise a Date, Time, DateTime or Duration of meta's. */
function momentOf(format, value) {
  if (format === 'date32' || format === 'date64') return new Tagged('Date', { value: dayText(format === 'date32' ? value : divide(value, 86400000n)[0]) });
  const zone = zoneOf(format);
  const unit = zone === null ? test(/\[(\w+)\]/, format)[1] : zone[1];
  if (format[0] === 'd') return durationOf(value, unit);
  if (zone === null) {
    const [seconds, rest] = divide(value, UNITS[unit]);
    return new Tagged('Time', { value: clockText(Number(seconds)) + fractionText(rest, unit) });
  }
  if (zone[2] !== undefined) {
    const [millis, rest] = unit === 's' ? [value * 1000n, 0n] : divide(value, UNITS[unit] / 1000n);
    if (rest === 0n && millis <= 8640000000000000n && millis >= -8640000000000000n) return new natives.Date(Number(millis));
  }
  const [seconds, rest] = divide(value, UNITS[unit]);
  const [day, second] = divide(seconds, 86400n);
  return new Tagged('DateTime', { value: `${dayText(day)}T${clockText(Number(second))}${fractionText(rest, unit)}${zone[2] === undefined ? '' : '+00:00'}` });
}

const clockText = (second) => `${two(floor(second / 3600))}:${two(floor(second / 60) % 60)}:${two(second % 60)}`;

function durationOf(value, unit) {
  const [whole, rest] = divide(value < 0n ? -value : value, UNITS[unit]);
  const [days, second] = divide(whole, 86400n);
  return new Tagged('Duration', { value: `${value < 0n ? '-' : ''}P${days}DT${second}${fractionText(rest, unit)}S` });
}

/** The day so many days after 1970-01-01, as `2024-02-29`. */
function dayText(days) {
  const moved = days + 719468n;
  const era = (moved >= 0n ? moved : moved - 146096n) / 146097n;
  const inEra = Number(moved - era * 146097n);
  const year = floor((inEra - floor(inEra / 1460) + floor(inEra / 36524) - floor(inEra / 146096)) / 365);
  const inYear = inEra - (365 * year + floor(year / 4) - floor(year / 100));
  const month = floor((5 * inYear + 2) / 153);
  const day = inYear - floor((153 * month + 2) / 5) + 1;
  const shown = BigInt(year) + era * 400n + (month < 10 ? 0n : 1n);
  return `${natives.String(shown).padStart(4, '0')}-${two(month < 10 ? month + 3 : month - 9)}-${two(day)}`;
}

// --------------------------------------------------------------------------------------------------------- classes

const columnsOf = new WeakMap(); // a Column -> its column
const states = new WeakMap(); // a Table -> { rows, kind, names, columns, more, faces }

/** A column whose items are made when they are asked for (`meta.Column`): `get(i)`, `length`, `toArray()`, iteration; null where there is none. */
class Column {
  constructor(column) {
    if (typeof column !== 'object' || column === null || !has(column, 'validity')) throw new TypeError('meta.Column is made by meta');
    weakSet(columnsOf, this, column);
  }

  get format() { return weakGet(columnsOf, this).format; }
  get length() { return weakGet(columnsOf, this).rows; }

  get(row) {
    const column = weakGet(columnsOf, this);
    return isSafeInteger(row) && row >= 0 && row < column.rows ? open(itemOf)(column, row) : undefined;
  }

  toArray() { return open(allOf)(weakGet(columnsOf, this)); }
  toJSON() { return this.toArray(); }
  [natives.iterator]() { return this.toArray()[natives.iterator](); }
  get [natives.toStringTag]() { return `Column ${this.format}`; }
  [natives.inspect](depth, options, inspect) { return `Column(${this.length}) ${this.format} ${inspect(open(allOf)(weakGet(columnsOf, this), 20), options)}`; }
}

function allOf(column, most = column.rows) {
  const items = [];
  const count = min(column.rows, most);
  for (let row = 0; row < count; row++) push(items, itemOf(column, row));
  return items;
}

/** Named columns of one length (`meta.Table`). Iteration gives rows as objects. */
class Table {
  constructor(state) {
    if (typeof state !== 'object' || state === null || !has(state, 'names')) throw new TypeError('meta.table({name: […]}) makes a table');
    weakSet(states, this, state);
  }

  get rows() { return weakGet(states, this).rows; }
  get length() { return weakGet(states, this).rows; }
  get kind() { return weakGet(states, this).kind; }
  get columns() { return natives.from(weakGet(states, this).names); }
  get formats() { return objectOf(weakGet(states, this), (column) => column.format); }

  /** A column by its name: a typed array where it is no more than numbers, otherwise a Column. */
  column(name) {
    const { columns, faces } = weakGet(states, this);
    const column = mapGet(columns, name);
    if (column === undefined) throw new RangeError(`the table has no column ${stringifyJSON(`${name}`)}`);
    if (isPlain(column)) return column.values;
    if (mapGet(faces, name) === undefined) mapSet(faces, name, new Column(column));
    return mapGet(faces, name);
  }

  /** A row as an object. */
  row(index) {
    const state = weakGet(states, this);
    if (!isSafeInteger(index) || index < 0 || index >= state.rows) throw new RangeError(`row ${natives.String(index)} of a table of ${state.rows}`);
    return open(rowOf)(state, index);
  }

  toArray() { return open(rowsOf)(weakGet(states, this)); }
  toJSON() { return this.toArray(); }
  * [natives.iterator]() { for (let at = 0; at < this.rows; at++) yield this.row(at); }
  get [natives.toStringTag]() { return `Table ${this.rows} × ${this.columns.length}`; }
  [natives.inspect]() { return open(shownTable)(weakGet(states, this)); }

  /** Gives its memory back. */
  release() {
    mapForEach(weakGet(states, this).columns, (column) => eachPart(column, (part) => { if (typeof part.release === 'function') part.release(); }));
  }
}

const isPlain = (column) => column.values !== null && column.validity === null && column.dictionary === null && (column.format in NUMBERS || column.format === 'bool');

function objectOf({ names, columns }, work) {
  const made = {};
  for (let at = 0; at < names.length; at++) own(made, names[at], work(mapGet(columns, names[at])));
  return made;
}

const rowOf = (state, index) => objectOf(state, (column) => itemOf(column, index));

function rowsOf(state, most = state.rows) {
  const made = [];
  for (let at = 0; at < state.rows && at < most; at++) push(made, rowOf(state, at));
  return made;
}

/** The first rows as a table of their own, which is short enough to cross inside its record. */
function headOf(value, count) {
  const { rows, names, columns, more, kind } = weakGet(states, value);
  if (!isSafeInteger(count) || count < 0) throw unreadable('how many rows is a whole number');
  const made = new NativeMap();
  const shown = min(rows, count);
  let bytes = 0;
  const cut = (column) => {
    if (column.dictionary !== null || isPlain(column)) return isPlain(column) && typeof column.values.subarray === 'function' ? columnFor(column.format, shown, { values: column.values.slice(0, shown) }) : columnOf(allOf(column, shown));
    const items = allOf(column, shown);
    if (column.offsets !== null) for (let at = 0; at < items.length; at++) bytes += items[at] === null ? 0 : items[at].length;
    if (bytes > 1 << 22) throw new Failure('value/too-large', `so few rows have ${bytes} bytes`);
    const bits = (part, most) => (part === null ? null : part.slice(0, most));
    const to = columnFor(column.format, shown, { values: bits(column.values, shown), validity: bits(column.validity, (shown + 7) >> 3) });
    if (column.offsets !== null) { to.offsets = column.offsets.slice(0, shown + 1); to.data = column.data.slice(0, Number(to.offsets[to.offsets.length - 1] ?? 0)); }
    else to.data = bits(column.data, (shown + 7) >> 3);
    return to;
  };
  for (let at = 0; at < names.length; at++) mapSet(made, names[at], named(names[at], () => cut(mapGet(columns, names[at]))));
  const table = tableFor(shown, kind, natives.from(names), made, more);
  heads.add(table);
  return table;
}

const heads = new natives.WeakSet();

/** A short table for the console. */
function shownTable(state) {
  const lines = [state.names];
  for (let row = 0; row < min(state.rows, 10); row++) {
    const cells = [];
    for (let at = 0; at < state.names.length; at++) push(cells, cellText(itemOf(mapGet(state.columns, state.names[at]), row)));
    push(lines, cells);
  }
  const text = [];
  for (let row = 0; row < lines.length && state.names.length > 0; row++) {
    const cells = [];
    for (let at = 0; at < state.names.length; at++) {
      let width = 0;
      for (let line = 0; line < lines.length; line++) width = max(width, cellText(lines[line][at]).length);
      push(cells, cellText(lines[row][at]).padStart(width));
    }
    push(text, join(cells, '  '));
  }
  if (state.rows > 10) push(text, '…');
  push(text, sizeText(state));
  return `Table\n${join(text, '\n')}`;
}

const sizeText = ({ rows, names }) => `${rows} row${rows === 1 ? '' : 's'} × ${names.length} column${names.length === 1 ? '' : 's'}`;

function cellText(value) {
  const text = value instanceof Tagged ? `${value.fields.value}` : isDate(value) ? value.toISOString() : `${typeof value === 'object' && value !== null ? stringifyJSON(value) : natives.String(value)}`;
  const shown = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '�');
  return shown.length > 24 ? `${slice(shown, 0, 24)}…` : shown;
}

// ------------------------------------------------------------------------------------------------------------ make

const columnFor = (format, rows, fields) => ({ format, rows, values: null, validity: null, offsets: null, data: null, dictionary: null, isOrdered: false, ...fields });
const uncopyable = (why) => new Failure('value/uncopyable', why);

/** `meta.table({n: new Float64Array(3), name: ['a', 'b', null]})`, or of an array of records. */
function table(data) {
  if (typeof data === 'object' && data !== null && weakGet(states, data) !== undefined) return data;
  if (typeof data !== 'object' || data === null) throw new TypeError(`a table is made of an object of columns or of an array of records, got ${describeValue(data)}`);
  if (isArray(data)) return tableOfRecords(data);
  const names = keysOf(data);
  const columns = new NativeMap();
  let rows = -1;
  for (let at = 0; at < names.length; at++) {
    const column = named(names[at], () => columnOf(data[names[at]]));
    if (rows !== -1 && column.rows !== rows) throw new RangeError(`the columns of a table are of one length: ${names[0]} has ${rows}, ${names[at]} ${column.rows}`);
    rows = column.rows;
    mapSet(columns, names[at], column);
  }
  return tableFor(max(rows, 0), 'meta.Table', names, columns, '');
}

function tableOfRecords(records) {
  const names = [];
  const lists = new NativeMap();
  for (let row = 0; row < records.length; row++) {
    if (typeof records[row] !== 'object' || records[row] === null) throw new TypeError(`a record is an object, got ${describeValue(records[row])} at ${row}`);
    const keys = keysOf(records[row]);
    for (let at = 0; at < keys.length; at++) {
      let list = mapGet(lists, keys[at]);
      if (list === undefined) { list = []; mapSet(lists, keys[at], list); push(names, keys[at]); }
      while (list.length < row) push(list, null);
      push(list, records[row][keys[at]]);
    }
  }
  const columns = new NativeMap();
  for (let at = 0; at < names.length; at++) {
    const list = mapGet(lists, names[at]);
    while (list.length < records.length) push(list, null);
    mapSet(columns, names[at], named(names[at], () => columnOf(list)));
  }
  return tableFor(records.length, 'meta.Table', names, columns, '');
}

const tableFor = (rows, kind, names, columns, more) => new Table({ rows, kind, names: natives.freeze(names), columns, more, faces: new NativeMap() });

function named(name, work) {
  if (!isText(name)) throw new Failure('value/surrogate', 'the name of a column holds a lone surrogate');
  try { return work(); } catch (error) {
    if (Failure.is(error)) error.message = `the column ${stringifyJSON(name)}: ${error.message}`;
    throw error;
  }
}

function columnOf(values) {
  const known = typeof values === 'object' && values !== null ? weakGet(columnsOf, values) : undefined;
  if (known !== undefined) return known;
  if (!isArray(values)) {
    const part = buffers.partOf(values);
    if (part === null) throw uncopyable(`a column is an array or a typed array, got ${describeValue(values)}`);
    return columnFor(part.format, part.count, { values });
  }
  const { kind, hasNull } = kindOf(values);
  const fields = { validity: hasNull ? bitsOf(values, (value) => value !== null && value !== undefined) : null };
  const rows = values.length;
  if (kind === 'null') return columnFor('null', rows);
  if (kind === 'string') return columnFor('utf8', rows, { ...fields, ...textsOf(values) });
  if (kind === 'boolean') return columnFor('bool', rows, { ...fields, data: bitsOf(values, (value) => value === true) });
  if (kind === 'float') return columnFor('float64', rows, { ...fields, values: floatsOf(values) });
  if (kind === 'int') return columnFor('int64', rows, { ...fields, values: integersOf(values) });
  if (kind === 'date') return columnFor('timestamp[ms, UTC]', rows, { ...fields, values: integersOf(values, dateTime) });
  return bigColumn(values, fields);
}

/** What the items of an array are, all of them: null, string, boolean, int, float, bigint or date. */
function kindOf(values) {
  let kind = 'null';
  let hasNull = false;
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    let found = typeof value;
    if (value === null || value === undefined) { hasNull = true; continue; }
    if (found === 'number') found = isSafeInteger(value) && (value !== 0 || 1 / value > 0) ? 'int' : 'float';
    else if (found === 'object' && isDate(value) && dateTime(value) === dateTime(value)) found = 'date';
    if (found === kind) continue;
    if (kind === 'null') kind = found;
    else if ((kind === 'int' && found === 'float') || (kind === 'float' && found === 'int')) kind = 'float';
    else if ((kind === 'int' && found === 'bigint') || (kind === 'bigint' && found === 'int')) kind = 'bigint';
    else throw uncopyable(`its items are of one type, got ${kind} and ${found} at ${at}`);
  }
  if (kind === 'object' || kind === 'function' || kind === 'symbol') throw uncopyable(`its items are texts, numbers, bigints, booleans, Dates or null, got ${kind}`);
  return { kind, hasNull };
}

function bitsOf(values, isSet) {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let at = 0; at < values.length; at++) if (isSet(values[at])) bits[at >> 3] |= 1 << (at & 7);
  return bits;
}

function floatsOf(values) {
  const made = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) made[at] = values[at] ?? 0;
  return made;
}

/** Whole numbers as int64: in halves, which is several times as fast as by BigInt. */
function integersOf(values, number = (value) => value) {
  const halves = new Uint32Array(2 * values.length);
  for (let at = 0; at < values.length; at++) {
    const value = values[at] === null || values[at] === undefined ? 0 : number(values[at]);
    halves[2 * at] = value >>> 0;
    halves[2 * at + 1] = floor(value / 4294967296) >>> 0;
  }
  return new BigInt64Array(halves.buffer);
}

function bigColumn(values, fields) {
  let low = 0n;
  let high = 0n;
  for (let at = 0; at < values.length; at++) {
    const value = BigInt(values[at] ?? 0);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const isWide = high >= 1n << 63n;
  if (low < -(1n << 63n) || high >= 1n << 64n || (isWide && low < 0n)) throw uncopyable('a whole number has more than 64 bits');
  const made = new (isWide ? BigUint64Array : BigInt64Array)(values.length);
  for (let at = 0; at < values.length; at++) made[at] = BigInt(values[at] ?? 0);
  return columnFor(isWide ? 'uint64' : 'int64', values.length, { ...fields, values: made });
}

function textsOf(values) {
  const texts = [];
  for (let at = 0; at < values.length; at++) texts[at] = values[at] ?? '';
  const whole = join(texts, '');
  const bytes = bufferFrom(whole, 'utf8');
  if (bytes.length >= 2 ** 31) throw new Failure('value/too-large', 'the texts of a column have at most 2 GiB together');
  const isASCII = bytes.length === whole.length;
  const offsets = new Int32Array(values.length + 1);
  let end = 0;
  for (let at = 0; at < texts.length; at++) {
    if (!isASCII && !isText(texts[at])) throw new Failure('value/surrogate', `the string at ${at} holds a lone surrogate`);
    end += isASCII ? texts[at].length : byteLength(texts[at], 'utf8');
    offsets[at + 1] = end;
  }
  return { offsets, data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
}

// ----------------------------------------------------------------------------------------------------------- write

const PARTS = ['validity', 'offsets', 'data', 'values'];

function eachPart(column, work) {
  for (let at = 0; at < PARTS.length; at++) if (column[PARTS[at]] !== null) work(column[PARTS[at]]);
  if (column.dictionary !== null) eachPart(column.dictionary, work);
}

/** Writes a table as `writer.share` says. */
function write(writer, value) {
  const state = weakGet(states, value);
  const parts = [];
  mapForEach(state.columns, (column) => eachPart(column, (part) => { push(parts, part); }));
  if (writer.share === 'live' && !buffers.allTravel(parts)) { writeLive(writer, value, state); return; }
  const texts = buffers.publishParts(writer, parts, heads.has(value));
  let at = 0;
  const columnText = (column) => {
    if (isPlain(column)) return texts[at++];
    let text = `{"_type":"Column","format":${stringifyJSON(column.format)},"rows":${column.rows}`;
    for (let place = 0; place < PARTS.length; place++) {
      const name = PARTS[place];
      if (column[name] !== null) text += `,"${name === 'values' ? (column.dictionary === null ? 'data' : 'indices') : name}":${texts[at++]}`;
    }
    if (column.dictionary !== null) text += `,"dictionary":${columnText(column.dictionary)}`;
    return `${text}${column.isOrdered ? ',"ordered":true' : ''}}`;
  };
  writer.text += `${headText(state, columnText)}}`;
}

function headText({ rows, kind, names, columns, more }, columnText) {
  let text = `{"_type":"Table","rows":${rows},"kind":${stringifyJSON(kind)},"columns":[`;
  for (let at = 0; at < names.length; at++) text += `${at > 0 ? ',' : ''}[${stringifyJSON(names[at])},${columnText(mapGet(columns, names[at]))}]`;
  return `${text}]${more}`;
}

function writeLive(writer, value, state) {
  const entry = entryOf(value);
  writer.refs ??= new natives.Set();
  setAdd(writer.refs, entry);
  writer.isLive = true;
  writer.text += `${headText(state, (column) => stringifyJSON(column.format))}${ownerText(entry.number)},"type":"meta.Table"`
    + `,"repr":"${sizeText(state)}","callable":false}`;
}

// ------------------------------------------------------------------------------------------------------------ read

/** The table of a record. */
function read(fields, listed) {
  if (has(fields, 'owner')) return receive(...tripleField(fields), fields, listed);
  const { rows, columns: pairs } = fields;
  if (!isSafeInteger(rows) || rows < 0) throw unreadable('the rows of a Table are a whole number');
  if (!isArray(pairs)) throw unreadable('a Table has columns');
  const names = [];
  const columns = new NativeMap();
  for (let at = 0; at < pairs.length; at++) {
    const pair = pairs[at];
    if (!isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') throw unreadable('a column of a Table is a name and its contents');
    if (mapGet(columns, pair[0]) !== undefined) throw unreadable(`two columns of a Table have the name ${stringifyJSON(pair[0])}`);
    push(names, pair[0]);
    mapSet(columns, pair[0], readColumn(pair[0], pair[1], rows, 0));
  }
  return tableFor(rows, typeof fields.kind === 'string' ? fields.kind : 'meta.Table', names, columns, moreText(fields));
}

function readColumn(name, value, rows, depth) {
  if (!(value instanceof Tagged)) {
    const part = partIn(name, value, rows, null);
    return columnFor(part.format, part.count, { values: value });
  }
  const { fields } = value;
  const { format } = fields;
  if (value.tag !== 'Column' || typeof format !== 'string' || depth > 1) throw unreadable(`the column ${stringifyJSON(name)} is neither a Buffer nor a Column`);
  const count = fields.rows;
  if (!isSafeInteger(count) || count < 0 || (rows !== null && count !== rows)) throw unreadable(`the column ${stringifyJSON(name)} has other rows than its table`);
  const column = columnFor(format, count);
  const bits = floor((count + 7) / 8);
  if (fields.validity !== null && fields.validity !== undefined) { partIn(name, fields.validity, bits, ['uint8']); column.validity = fields.validity; }
  if (format === 'utf8' || format === 'binary') {
    partIn(name, fields.offsets, count + 1, ['int32', 'int64'], count === 0);
    partIn(name, fields.data, null, ['uint8']);
    column.offsets = fields.offsets; column.data = fields.data;
  } else if (format === 'bool') {
    partIn(name, fields.data, bits, ['uint8']);
    column.data = fields.data;
  } else if (format === 'dictionary') {
    partIn(name, fields.indices, count, ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64']);
    column.values = fields.indices;
    column.dictionary = readColumn(name, fields.dictionary, null, depth + 1);
    column.isOrdered = fields.ordered === true;
  } else if (format !== 'null') {
    const wanted = storedFor(format);
    if (wanted === undefined) throw unreadable(`the column ${stringifyJSON(name)} has no known format: ${slice(stringifyJSON(format), 0, 80)}`);
    partIn(name, fields.data, count, [wanted]);
    column.values = fields.data;
  }
  return column;
}

/** An array that came as a Buffer, with so many items of one of the formats, side by side. */
function partIn(name, value, count, wanted, mayBeEmpty = false) {
  const part = buffers.partOf(value);
  if (part === null) throw unreadable(`the column ${stringifyJSON(name)} lacks a Buffer`);
  let fits = wanted === null;
  for (let at = 0; wanted !== null && at < wanted.length; at++) if (part.format === wanted[at]) fits = true;
  if (!fits || (wanted !== null && !part.isPlain && part.format !== 'float16' && part.format[0] !== 'c')) throw unreadable(`a Buffer of the column ${stringifyJSON(name)} is of the format ${part.format}`);
  if (count !== null && part.count !== count && !(mayBeEmpty && part.count === 0)) throw unreadable(`a Buffer of the column ${stringifyJSON(name)} has ${part.count} items, its rows take ${count}`);
  return part;
}

/** What a record says besides its columns, for those who know its kind: as text. */
function moreText(fields) {
  let text = '';
  const list = (value) => {
    if (!isArray(value)) throw unreadable('a detail of a Table is a list of texts');
    const items = [];
    for (let at = 0; at < value.length; at++) push(items, isArray(value[at]) ? list(value[at]) : plain(value[at]));
    return `[${join(items, ',')}]`;
  };
  const plain = (value) => {
    if (typeof value !== 'string') throw unreadable('a detail of a Table is a text');
    return stringifyJSON(clean(value));
  };
  for (const name of ['index', 'enums', 'dtypes']) if (has(fields, name)) text += `,"${name}":${list(fields[name])}`;
  for (const name of ['label', 'names', 'freq']) if (has(fields, name)) text += `,"${name}":${plain(fields[name])}`;
  return text;
}

return { Table, Column, write, read, headOf, table: open(table), isTable: (prototype) => prototype === Table.prototype };
