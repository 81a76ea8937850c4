'use strict';
// Arrays of JavaScript in shared memory: the part of the kernel that is loaded when one is met.
//
// kernel.js runs this text as a function of `kernel`, what it lends, and `require`. User code may have changed any
// prototype by now: what was taken at the start comes in `kernel.natives`.
//
// A *segment* is a file of this kernel's in /dev/shm, a *mapping* one in memory, of whoever made it. SIGINT may end
// what runs here at any call or turn of a loop (see "loop" in kernel.js): a segment is known before its file is made,
// and whole states are set without a call between, so that `recover` can put away what was left half done.

const {
  natives, self, held, foreign, Failure, asError, has, free, push, mapGet, mapSet, mapDelete, mapForEach, mapSize, setAdd, weakGet, weakSet,
  defineProperty, getPrototypeOf, isArray, isCount, isText, forget, retire, receive, keyOf, reprOf, typeName, clean, tripleField, stringifyJSON, toText,
  bufferFrom, byteLength, decodeUTF8, isSafeInteger, slice, test, startsWith, join, takeReleases,
} = kernel;
const { Map: NativeMap, Uint8Array, Uint16Array, Uint32Array, ArrayBuffer, DataView, BigInt, Number, WeakMap, constants } = natives;
const {
  openSync, closeSync, fstatSync, statSync, readSync, writeSync, renameSync, unlinkSync, fchmodSync, chmodSync, readdirSync, existsSync,
} = natives.fs;
const { min, max, floor, log2 } = natives.math;

// --------------------------------------------------------------------------------------------------------- formats

const getter = (descriptors, name) => free(descriptors[name].get);
const bufferOf = getter(natives.typed, 'buffer');
const offsetOf = getter(natives.typed, 'byteOffset');
const bytesOf = getter(natives.typed, 'byteLength');
const lengthOf = getter(natives.typed, 'length');
const setAll = free(natives.typed.set.value);
const viewBuffer = getter(natives.view, 'buffer');
const viewOffset = getter(natives.view, 'byteOffset');
const viewBytes = getter(natives.view, 'byteLength');
const bufferBytes = getter(natives.buffer, 'byteLength');

const { Float16Array } = natives;
const reads = {
  __proto__: null,
  bool: (view, at) => get.Uint8(view, at) !== 0,
  float16: (view, at) => half(get.Uint16(view, at, true)),
  complex64: (view, at) => ({ re: get.Float32(view, at, true), im: get.Float32(view, at + 4, true) }),
  complex128: (view, at) => ({ re: get.Float64(view, at, true), im: get.Float64(view, at + 8, true) }),
};
const writes = {
  __proto__: null,
  bool: (view, at, value) => set.Uint8(view, at, value ? 1 : 0),
  float16: (view, at, value) => set.Uint16(view, at, halfOf(+value), true),
  complex64: (view, at, value) => { const [re, im] = partsOf(value); set.Float32(view, at, re, true); set.Float32(view, at + 4, im, true); },
  complex128: (view, at, value) => { const [re, im] = partsOf(value); set.Float64(view, at, re, true); set.Float64(view, at + 8, im, true); },
};
const get = { __proto__: null };
const set = { __proto__: null };
for (const name of ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']) {
  get[name] = free(natives.view[`get${name}`].value);
  set[name] = free(natives.view[`set${name}`].value);
}

/** What a format is: bytes of an item, the class of its arrays or null, how an item is read and written. */
const formats = { __proto__: null };
/** Prototype of a class of arrays -> the format of its items. */
const classes = new NativeMap();

function defineFormat(name, size, made, accessor) {
  formats[name] = {
    name, size, made, parts: startsWith(name, 'complex') ? 2 : 1,
    read: reads[name] ?? ((view, at) => get[accessor](view, at, true)),
    write: writes[name] ?? ((view, at, value) => set[accessor](view, at, value, true)),
  };
  if (made !== null && name !== 'bool') mapSet(classes, made.prototype, formats[name]);
}
defineFormat('bool', 1, Uint8Array);
defineFormat('int8', 1, natives.Int8Array, 'Int8');
defineFormat('uint8', 1, Uint8Array, 'Uint8');
defineFormat('int16', 2, natives.Int16Array, 'Int16');
defineFormat('uint16', 2, Uint16Array, 'Uint16');
defineFormat('int32', 4, natives.Int32Array, 'Int32');
defineFormat('uint32', 4, Uint32Array, 'Uint32');
defineFormat('int64', 8, natives.BigInt64Array, 'BigInt64');
defineFormat('uint64', 8, natives.BigUint64Array, 'BigUint64');
defineFormat('float16', 2, Float16Array ?? null);
defineFormat('float32', 4, natives.Float32Array, 'Float32');
defineFormat('float64', 8, natives.Float64Array, 'Float64');
defineFormat('complex64', 8, null);
defineFormat('complex128', 16, null);
mapSet(classes, natives.Uint8ClampedArray.prototype, formats.uint8);
mapSet(classes, natives.Buffer.prototype, formats.uint8);

/** The number that 16 bits stand for. */
function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The 16 bits nearest to a number, ties to even. */
function halfOf(value) {
  const sign = value < 0 || (value === 0 && 1 / value < 0) ? 0x8000 : 0;
  const size = value < 0 ? -value : value;
  if (size !== size) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundEven(size * 2 ** 24);
  let exponent = floor(log2(size));
  if (2 ** exponent > size) exponent--;
  else if (2 ** (exponent + 1) <= size) exponent++;
  return sign | (((exponent + 15) << 10) + roundEven((size / 2 ** exponent - 1) * 1024)); // a carry goes into the exponent
}

function roundEven(value) {
  const below = floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

const partsOf = (value) => (typeof value === 'object' && value !== null ? [+value.re, +value.im] : [+value, 0]);

// ---------------------------------------------------------------------------------------------------------- shapes

/** How many items a shape has; -1 when that overflows. */
function countOf(shape, size) {
  let count = 1;
  let product = size; // without axes of 0, as NumPy checks it
  for (let at = 0; at < shape.length; at++) {
    count *= shape[at];
    if (shape[at] > 0) product *= shape[at];
    if (!isSafeInteger(product)) return -1;
  }
  return count;
}

/** The strides of C order. */
function stridesOf(shape, size) {
  const strides = [];
  for (let at = 0; at < shape.length; at++) strides[at] = 0;
  for (let at = shape.length - 1, step = size; at >= 0; at--) {
    strides[at] = step;
    step *= max(shape[at], 1);
  }
  return strides;
}

/** Whether items lie in C order without gaps; the stride of an axis with one place means nothing. */
function isContiguous(shape, strides, size) {
  for (let at = shape.length - 1, step = size; at >= 0; at--) {
    if (shape[at] === 0) return true;
    if (shape[at] !== 1 && strides[at] !== step) return false;
    step *= shape[at];
  }
  return true;
}

/** The bytes from the first to behind the last item, as [from, to]. */
function extentOf({ shape, strides, offset, format }) {
  let from = offset;
  let to = offset + format.size;
  for (let at = 0; at < shape.length; at++) {
    if (shape[at] === 0) return [offset, offset];
    const reach = (shape[at] - 1) * strides[at];
    if (reach < 0) from += reach; else to += reach;
  }
  return [from, to];
}

function isShape(list, least) {
  if (!isArray(list) || list.length > 32) return false;
  for (let at = 0; at < list.length; at++) if (!isSafeInteger(list[at]) || list[at] < least) return false;
  return true;
}

const numbers = (list) => `[${join(list, ',')}]`;

function frozen(list) {
  const made = [];
  for (let at = 0; at < list.length; at++) defineProperty(made, at, { __proto__: null, value: list[at], enumerable: true });
  return natives.freeze(made);
}

// ---------------------------------------------------------------------------------------------------------- arrays

// An array's *layout* is how its items lie in its ArrayBuffer: { buffer, format, shape, strides, offset, count, fields, name }, where
// `fields` are those of the record that it came with, or null, and `origin` the { language, type } of a record, which say of which kind it is:
// an array that came is of that kind wherever it goes on to. What is made from it here is of a kind of JavaScript's.

const layouts = new WeakMap(); // an array that came or was made here -> its layout
const mappings = new WeakMap(); // ArrayBuffer -> its mapping
const viewsIn = new WeakMap(); // ArrayBuffer -> Map from a place to the array that was last seen there

const layoutOf = (format, shape, strides, offset, fields, name) => ({
  buffer: null, format, shape, strides, offset, count: countOf(shape, format.size), fields, name, origin: null,
});

/**
 * The layout of any array that crosses as a buffer; null for other values. Throws `buffer/stale` for one whose memory
 * was given back.
 */
function layoutFor(value, prototype) {
  const known = weakGet(layouts, value);
  if (known !== undefined) {
    if (known.count > 0 && bufferBytes(known.buffer) === 0) throw released(value);
    return known;
  }
  const format = mapGet(classes, prototype);
  if (format !== undefined) return typedLayout(value, format);
  if (prototype === DataView.prototype) {
    let offset, bytes;
    try { offset = viewOffset(value); bytes = viewBytes(value); } catch { throw released(value); }
    return ordinary(viewBuffer(value), formats.uint8, bytes, offset);
  }
  if (prototype !== ArrayBuffer.prototype) return null;
  checkAttached(value, value);
  return ordinary(value, formats.uint8, bufferBytes(value), 0);
}

function typedLayout(value, format) {
  const buffer = bufferOf(value);
  if (bytesOf(value) === 0) checkAttached(value, buffer);
  const mapping = weakGet(mappings, buffer);
  const isBool = format.made === Uint8Array && mapping !== undefined && mapping.format === formats.bool && getPrototypeOf(value) === Uint8Array.prototype;
  return ordinary(buffer, isBool ? formats.bool : format, lengthOf(value), offsetOf(value));
}

function ordinary(buffer, format, length, offset) {
  const layout = layoutOf(format, [length], [format.size], offset, null, undefined);
  layout.buffer = buffer;
  return layout;
}

/** An array over a detached ArrayBuffer has no bytes, as one that has none. */
function checkAttached(value, buffer) {
  if (natives.isSharedArrayBuffer(buffer) || bufferBytes(buffer) > 0) return;
  try { new Uint8Array(buffer); } catch { throw released(value); }
}

const released = (value) => new Failure('buffer/stale', `the memory of this ${typeName(value)} was given back`, '', typeName(value));

/** Whether a Uint8Array is an array rather than bytes. */
function isBuffer(value) {
  if (weakGet(layouts, value) !== undefined) return true;
  const mapping = weakGet(mappings, bufferOf(value));
  return mapping !== undefined && !mapping.isBytes;
}

/** The array of a layout over `buffer`: a typed array where its items lie so that one can show them, otherwise a View. */
function makeArray(buffer, layout) {
  layout.buffer = buffer;
  layout.shape = frozen(layout.shape);
  layout.strides = frozen(layout.strides);
  const { format, offset, shape, strides, count } = layout;
  const isPlain = format.made !== null && offset % format.size === 0 && isContiguous(shape, strides, format.size);
  const made = ofOwnKind(layout, isPlain) ?? (isPlain ? new format.made(buffer, count === 0 ? 0 : offset, count) : new View(layout));
  weakSet(layouts, made, layout);
  if (!isPlain) return made;
  hide(made, 'shape', shape);
  hide(made, 'format', format.name);
  hide(made, 'strides', strides);
  hide(made, 'release', release);
  return made;
}

/** What left JavaScript as something else than the typed array of its format, as that again; null for all other arrays. */
function ofOwnKind(layout, isPlain) {
  const { buffer, origin, format, shape, offset, count } = layout;
  if (origin === null || origin.language !== 'js' || format !== formats.uint8 || !isPlain || shape.length !== 1) return null;
  const at = count === 0 ? 0 : offset;
  switch (origin.type) {
    case 'Buffer': return bufferFrom(buffer, at, count);
    case 'DataView': return new DataView(buffer, at, count);
    case 'Uint8ClampedArray': return new natives.Uint8ClampedArray(buffer, at, count);
    case 'ArrayBuffer': return wholeBuffer(layout, at);
    default: return null;
  }
}

/** An ArrayBuffer of these items alone: a copy where they are not all that the memory holds. */
function wholeBuffer(layout, at) {
  const { buffer, count } = layout;
  if (bufferBytes(buffer) === count) return buffer;
  if (weakGet(mappings, buffer)?.isMutable === true) return null;
  const copy = new Uint8Array(count);
  setAll(copy, new Uint8Array(buffer, at, count));
  layout.buffer = bufferOf(copy);
  layout.offset = 0; layout.fields = null;
  return layout.buffer;
}

/** The kind of an array: a language and the name of a type there. */
const kindOf = (value, { origin }) => (origin === null || origin.language === 'js' ? { language: 'js', type: typeName(value) } : origin);

function originOf({ language, type }) {
  return typeof language === 'string' && typeof type === 'string' ? { language, type } : null;
}

const hide = (object, name, value) => defineProperty(object, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false });

const placeOf = ({ format, shape, strides, offset }, kind) => `${format.name} ${join(shape, ',')} ${join(strides, ',')} ${offset} ${kind?.language} ${kind?.type}`;

function rememberPlace(buffer, layout, kind, array) {
  let places = weakGet(viewsIn, buffer);
  if (places === undefined || mapSize(places) > 64) weakSet(viewsIn, buffer, places = new NativeMap());
  mapSet(places, placeOf(layout, kind), array);
}

/** The array of that kind that lies there already, or a new one. */
function arrayAt(buffer, layout) {
  const { origin } = layout;
  const places = weakGet(viewsIn, buffer);
  const known = places === undefined ? undefined : mapGet(places, placeOf(layout, origin));
  if (known !== undefined) return known;
  const made = makeArray(buffer, layout);
  if (layout.buffer === buffer) rememberPlace(buffer, layout, origin, made);
  return made;
}

/** Gives an array's memory back now: it and all others in the same memory read as empty. */
function release() {
  const layout = weakGet(layouts, this);
  if (layout === undefined) throw new TypeError('not an array of meta');
  const mapping = weakGet(mappings, layout.buffer);
  if (mapping !== undefined) {
    addon.unmap(mapping.id, layout.buffer);
    settle();
    if (++live.freed >= 1000) { live.freed = 0; foreign.breathe = true; } // Node keeps its record of the memory until the loop turns
  } else if (bufferBytes(layout.buffer) > 0) detachOrdinary(layout.buffer);
}

function detachOrdinary(buffer) {
  if (natives.buffer.transfer !== undefined) natives.apply(natives.buffer.transfer.value, buffer, [0]);
  else natives.structuredClone()(buffer, { transfer: [buffer] });
}

/**
 * An array whose items no typed array can show as they lie: float16, complex, Fortran or other strides, unaligned
 * (`meta.View`). Complex items are { re, im }.
 */
class View {
  #layout;
  #data;

  constructor(layout) {
    if (typeof layout !== 'object' || layout === null || !has(layout, 'buffer')) throw new TypeError('meta.View is made by meta');
    this.#layout = layout;
    this.#data = new DataView(layout.buffer);
  }

  get shape() { return this.#layout.shape; }
  get strides() { return this.#layout.strides; }
  get format() { return this.#layout.format.name; }
  get size() { return this.#layout.count; }

  /** The item at one index for each axis. */
  get(...indexes) { return this.#layout.format.read(this.#data, placeIn(this.#layout, indexes, indexes.length)); }

  /** `view.set(i, j, value)` */
  set(...rest) {
    const at = placeIn(this.#layout, rest, rest.length - 1);
    this.#layout.format.write(this.#data, at, rest[rest.length - 1]);
  }

  /** A copy in C order; of complex items real and imaginary parts in turn, of float16 a Float32Array where there is no other. */
  toTypedArray() {
    const { format, count } = this.#layout;
    if (format.made !== null) return new format.made(gather(this.#layout).buffer);
    if (format.parts === 2) return new (format.size === 8 ? natives.Float32Array : natives.Float64Array)(gather(this.#layout).buffer);
    const made = new natives.Float32Array(count);
    let at = 0;
    forEach(this.#layout, (item) => { made[at++] = item; });
    return made;
  }

  /** Its items in arrays, one level for each axis. */
  toArray() { return nested(this.#layout, (place) => this.#layout.format.read(this.#data, place)); }

  /** Gives its memory back. */
  release() { natives.apply(release, this, []); }

  * [natives.iterator]() {
    const layout = this.#layout;
    const indexes = [];
    for (let at = 0; at < layout.shape.length; at++) indexes[at] = 0;
    for (let done = 0; done < layout.count; done++) {
      yield layout.format.read(this.#data, placeIn(layout, indexes, indexes.length));
      for (let axis = indexes.length - 1; axis >= 0 && ++indexes[axis] === layout.shape[axis]; axis--) indexes[axis] = 0;
    }
  }

  get [natives.toStringTag]() { return `View ${this.format} ${numbers(this.shape)}`; }
}

function placeIn({ shape, strides, offset }, indexes, count) {
  if (count !== shape.length) throw new RangeError(`a view of ${shape.length} axes takes as many indexes, got ${count}`);
  let place = offset;
  for (let axis = 0; axis < count; axis++) {
    const index = indexes[axis];
    if (!isSafeInteger(index) || index < 0 || index >= shape[axis]) throw new RangeError(`index ${natives.String(index)} is outside axis ${axis} with ${shape[axis]} places`);
    place += index * strides[axis];
  }
  return place;
}

/** Calls `work` with the place of each item, in C order. */
function eachPlace({ shape, strides, offset, count }, work) {
  if (count === 0) return;
  const walk = (axis, place) => {
    if (axis === shape.length) { work(place); return; }
    for (let index = 0; index < shape[axis]; index++) walk(axis + 1, place + index * strides[axis]);
  };
  walk(0, offset);
}

function forEach(layout, work) {
  const data = new DataView(layout.buffer);
  eachPlace(layout, (place) => work(layout.format.read(data, place)));
}

/** Items in arrays, one level for each axis. */
function nested({ shape, strides, offset }, item) {
  const level = (axis, place) => {
    if (axis === shape.length) return item(place);
    const items = [];
    for (let index = 0; index < shape[axis]; index++) push(items, level(axis + 1, place + index * strides[axis]));
    return items;
  };
  return level(0, offset);
}

/** An array as arrays of its items: what a bulk copy is; undefined for one whose own iterator does that. */
function copyOf(value) {
  const layout = weakGet(layouts, value);
  if (layout === undefined || getPrototypeOf(value) === natives.Buffer.prototype || (layout.shape.length === 1 && layout.format.made !== null && layout.format.made !== Uint8Array)) return undefined;
  if (layout.count > 0 && bufferBytes(layout.buffer) === 0) throw released(value);
  const data = new DataView(layout.buffer);
  const isComplex = layout.format.parts === 2;
  return nested(layout, (place) => {
    const item = layout.format.read(data, place);
    return isComplex ? new kernel.Tagged('Complex', item) : item;
  });
}

/** The bytes of an array in C order, as a Uint8Array: its own memory where it lies so. */
function contentsOf(layout) {
  const { buffer, format, shape, strides, offset, count } = layout;
  return isContiguous(shape, strides, format.size) ? new Uint8Array(buffer, count === 0 ? 0 : offset, count * format.size) : gather(layout);
}

/** A copy of an array's bytes in C order. Items are moved in units of whole numbers, which keep every NaN as it is. */
function gather(layout) {
  const { buffer, format: { size }, shape, strides, offset, count } = layout;
  const made = new Uint8Array(count * size);
  if (count === 0) return made;
  if (isContiguous(shape, strides, size)) { setAll(made, new Uint8Array(buffer, offset, count * size)); return made; }
  let unit = min(size, 4);
  const fits = (step) => { while (step % unit !== 0) unit /= 2; };
  fits(offset);
  for (let axis = 0; axis < strides.length; axis++) fits(strides[axis]);
  const Unit = unit === 4 ? Uint32Array : unit === 2 ? Uint16Array : Uint8Array;
  const from = new Unit(buffer, 0, floor(bufferBytes(buffer) / unit));
  const to = new Unit(made.buffer);
  let at = 0;
  const words = size / unit;
  const last = shape.length - 1;
  const step = strides[last] / unit;
  const walk = (axis, place) => {
    if (axis < last) { for (let index = 0; index < shape[axis]; index++) walk(axis + 1, place + strides[axis] / unit * index); return; }
    for (let index = 0; index < shape[last]; index++, place += step) for (let word = 0; word < words; word++) to[at++] = from[place + word];
  };
  walk(0, offset / unit);
  return made;
}

// ----------------------------------------------------------------------------------------------------------- addon

let addon = null;
let isTried = false;

/** The addon that maps, built where it is not there yet; null for none. */
function loadAddon() {
  if (isTried) return addon;
  const { path } = natives.addon();
  if (path !== null) {
    const number = sourceNumber();
    const made = load(path, number);
    addon = made === null && build(path, number) ? load(path, number) : made;
  }
  isTried = true;
  return addon;
}

/** A number for the text of mapping.c, which the addon repeats: one that was built from another text is built anew. */
function sourceNumber() {
  let number = 1;
  try {
    const text = natives.fs.readFileSync(natives.source);
    for (let at = 0; at < text.length; at++) number = (number * 31 + text[at]) % 4294967291;
  } catch { /* it cannot be built, then */ }
  return number;
}

function load(path, number) {
  const module = { exports: {} };
  try {
    if (!existsSync(path)) return null;
    natives.dlopen(module, path);
    if (module.exports.source() !== number) return null;
    module.exports.limit(constants.MAX_LENGTH);
    return module.exports;
  } catch { return null; }
}

/** Compiles under a name of its own, since two sessions may do so at once. */
function build(path, number) {
  const { compiler } = natives.addon();
  if (compiler === null) return false;
  const temporary = `${path}.${natives.pid}`;
  const { spawnSync } = require('child_process');
  const options = [...compiler.slice(1), '-O2', '-shared', '-fPIC', '-std=c11', `-DSOURCE=${number}.0`, '-o', temporary, natives.source];
  try {
    const { status, signal } = spawnSync(compiler[0], options, { stdio: 'ignore' });
    if (status === 0) { renameSync(temporary, path); return true; }
    if (signal === 'SIGINT') return build(path, number); // it was meant for the user's code
  } catch { /* the folder may be read-only */ }
  try { unlinkSync(temporary); } catch { /* there is none */ }
  return false;
}

// The numbers of mapping.c, and of the system.
const FORGED = 10002, EMPTY = 10003, TOO_LARGE = 10004, NO_EXTERNAL = 10005;
const { ENOENT, ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, ELOOP, ENXIO, EEXIST } = natives.errno;

function failureOf(code, name) {
  if (code === ENOENT) return new Failure('buffer/stale', `there is no segment ${name}`);
  if (code === ENOSPC || code === EDQUOT) return new Failure('buffer/full', 'shared memory is full');
  if (code === ENOMEM) return new Failure('buffer/mappings', 'the system has no room for one more mapping');
  if (code === TOO_LARGE) return new Failure('buffer/range', `an ArrayBuffer has at most ${constants.MAX_LENGTH} bytes here`);
  if (code === EMPTY) return new Failure('buffer/range', `the segment ${name} is empty`);
  if (code === EMFILE || code === ENFILE) return new Failure('buffer/full', 'there are too many open files');
  return new Failure('buffer/forged', `${name} is no segment of this user's own (${code})`);
}

// -------------------------------------------------------------------------------------------------------- mappings

// A mapping is { id, size, isMutable, isSealed, isBytes, format, fields, entry, segment, isEnded }: of another owner's segment with its `entry`
// and the first record's `fields`, or of a `segment` of this kernel's own. `live` counts them.

const byId = new NativeMap();
const live = { count: 0, bytes: 0, keptCount: 0, keptBytes: 0, most: 0, waiting: 0, looked: 0, freed: 0, breathed: -Infinity };

/** Takes over what the addon made: the ArrayBuffer. */
function adopt(made, mapping) {
  mapping.id = made[1];
  mapping.size = made[2];
  mapSet(byId, mapping.id, mapping);
  live.count++;
  live.bytes += mapping.size;
  if (mapping.size >= PRESSURE) breatheSoon();
  weakSet(mappings, made[0], mapping);
  return made[0];
}

const makeMapping = (fields) => ({ id: 0, size: 0, isMutable: false, isSealed: true, isBytes: false, format: null, fields: null, entry: null, segment: null, isEnded: false, ...fields });

/** Ends the mappings whose memory is free. */
function settle() {
  if (addon === null) return;
  for (let id = addon.ended(); id !== 0; id = addon.ended()) {
    const mapping = mapGet(byId, id);
    if (mapping !== undefined) endMapping(mapping);
    addon.told(id);
  }
}

function endMapping(mapping) {
  if (!mapping.isEnded) {
    mapping.isEnded = true;
    live.count--;
    live.bytes -= mapping.size;
    live.keptCount = min(live.keptCount, live.count);
    live.keptBytes = min(live.keptBytes, live.bytes);
    if (live.waiting > 0) live.waiting--;
    if (mapping.segment !== null) mapping.segment.maps--;
  }
  const { entry, segment } = mapping;
  if (entry !== null && !isMapped(entry)) retire(entry);
  if (segment !== null) recycle(segment);
  mapDelete(byId, mapping.id);
}

function isMapped(entry) {
  for (let at = 0; at < entry.mappings.length; at++) if (!entry.mappings[at].isEnded) return true;
  return false;
}

const PRESSURE = 2 ** 25; // bytes of an ArrayBuffer that make V8 start a collection
const PATIENCE = 40; // milliseconds

/**
 * V8 starts to mark with each ArrayBuffer that brings 64 MiB more than there were at its last collection, whatever has been given back, and
 * nothing that N-API offers keeps it from that. It leaves the end of the collection to a task of the event loop while such tasks are served within
 * 50 ms, otherwise it stops JavaScript for it at once, at each attach. So the loop turns that often while large arrays come.
 */
function breatheSoon() {
  const time = natives.now();
  if (time - live.breathed < PATIENCE) return;
  live.breathed = time; foreign.breathe = true;
}

let collectGarbage = null;

/** Collects garbage now. Only when the event loop turns is the memory of what it found free. */
function collect() {
  if (collectGarbage === null) {
    natives.v8().setFlagsFromString('--expose-gc');
    collectGarbage = natives.runInNewContext('gc');
  }
  collectGarbage();
  live.waiting = addon.waiting();
  if (live.waiting > 0) foreign.breathe = true;
  live.keptCount = live.count;
  live.keptBytes = live.bytes;
}

/** Whether so much has been mapped since the last collection that another is due. */
const isDue = (count, bytes) => live.count - live.keptCount >= count || live.bytes - live.keptBytes >= bytes;

/**
 * Whether one more mapping of `size` bytes may be made. Node aborts where the system refuses it memory, so this ends well
 * before; and while user code keeps the loop from turning no mapping is given back but by release().
 */
function mayMap(size) {
  if (live.most === 0) live.most = floor(mappingLimit() * 0.75);
  settle();
  if (isDue(10000, self.limit / 4)) collect();
  return live.count < live.most && (live.waiting === 0 || live.bytes + size <= self.limit / 2);
}

function mappingLimit() {
  try { return +toText(natives.fs.readFileSync('/proc/sys/vm/max_map_count')) || 65530; } catch { return 65530; }
}

/**
 * Looks for arrays that were collected while no request runs, once a second: their memory is free when the loop has turned, and
 * SIGINT would end the process if it came in the microseconds of a turn in which Node changes its handler.
 */
function look(time) {
  if (addon === null || live.count === 0 || time - live.looked < 1000) return;
  live.looked = time;
  if (isDue(1000, self.limit / 16)) collect(); else live.waiting = addon.waiting();
  if (live.waiting > 0) foreign.breathe = true;
}

/** Whether bytes of a mapping were written to here since it was made. */
const isWritten = (mapping, from, to) => mapping.isSealed && !mapping.isMutable && addon.isWritten(mapping.id, from, to) !== 0;

// -------------------------------------------------------------------------------------------------------- segments

// A segment of this kernel's: { name, next, number, size, file, state, entry, maps, mapping, isMutable, isNamed, used }. Its `state` is `making`
// until all of it is set, `used`, `idle` in the pool, or `gone`; `next` is a name that it is just being given. It has an `entry` among the held
// while a record of it may be out, `isNamed` once its number has been in one, and `maps` counts the own mappings. `file` is a descriptor, or -1;
// while it `isOpening` or closing there may be one that is not stored. `key` tells it in the pool of the addon, where a large one that is used
// again `isKept` in memory.

const segments = new natives.Set();
const idles = new natives.Set();
const reading = { path: null }; // of a segment that is open to be read
const FOLDER = '/dev/shm/';
const FILES_LIMIT = 64;
const pool = { bytes: 0, files: 0, clock: 0 };
const INLINE = 2048;
const KEPT = 2 ** 18; // bytes from which on a segment that is used again is kept in memory: it is filled faster than by write(2)
const { O_CREAT, O_EXCL, O_RDWR, O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = natives.fs.constants;
const O_CLOEXEC = 0o2000000;

const random = { data: new Uint8Array(512), at: 512 };
const { randomFillSync } = require('crypto');
const family = { bytes: 0, added: 0, time: -Infinity }; // segments counted at that time, and those made since

/** 16 hexadecimal digits that nobody can guess. */
function randomDigits() {
  if (random.at === 512) {
    randomFillSync(random.data);
    random.at = 0;
  }
  random.at += 8;
  return toText(bufferFrom(random.data.buffer, random.at - 8, 8), 'hex');
}

const nameFor = (number) => `${self.segments}${number}-${randomDigits()}`;

/** Whether a new segment keeps to the limit. What was counted less than 100 ms ago will do while that is far. */
function isRoom(size) {
  const time = natives.now();
  if (time - family.time > 100 || family.bytes + family.added + size > self.limit / 2) {
    family.bytes = countFamily();
    family.time = time;
    family.added = 0;
  }
  return family.bytes + family.added + size <= self.limit;
}

/** The bytes of all segments of this meta's. */
function countFamily() {
  const beginning = test(/^(.*-)\d+-$/, self.segments)?.[1] ?? self.segments;
  let bytes = 0;
  const names = readdirSync(FOLDER);
  for (let at = 0; at < names.length; at++) {
    if (!startsWith(names[at], beginning)) continue;
    try { bytes += statSync(FOLDER + names[at]).size; } catch { /* it has just been removed */ }
  }
  return bytes;
}

/** Makes room for a new segment, of the pool and of what was collected, or throws `buffer/limit`. */
function checkLimit(size) {
  if (!isRoom(size)) {
    emptyPool();
    if (!isRoom(size) && addon !== null && live.count > 0) { collect(); settle(); emptyPool(); }
    if (!isRoom(size)) throw new Failure('buffer/limit', `segments have at most ${self.limit} bytes together`);
  }
  family.added += size;
}

function addSegment(size, isMutable) {
  const number = held.next++;
  const segment = { name: nameFor(number), next: null, number, size, file: -1, state: 'making', entry: null, maps: 0, mapping: null, isMutable, isNamed: false, isOpening: false, used: 0, key: number, isKept: false };
  setAdd(segments, segment);
  return segment;
}

/** A segment that is open for writing: of the pool, under a new name, or a new file that is still empty. */
function takeSegment(size, isMutable) {
  serveReleases();
  const idle = findIdle(size);
  if (idle !== null && reuse(idle)) { idle.isMutable = isMutable; return idle; }
  checkLimit(size);
  const segment = addSegment(size, isMutable);
  try {
    openInto(segment, O_CREAT | O_EXCL | O_RDWR);
  } catch (error) { remove(segment); throw fileFailure(error, segment.name); }
  return segment;
}

/** Takes back what meta is done with, as far as that came. Only the addon can ask whether something came. */
function serveReleases() {
  if (natives.setSize(segments) > 0 && loadAddon() !== null) takeReleases(addon.isReady);
}

/** The smallest idle segment that holds `size` bytes and wastes at most a quarter. */
function findIdle(size) {
  let found = null;
  natives.setForEach(idles, (segment) => {
    if (segment.state !== 'idle' || segment.size < size || segment.size * 0.75 > size) return;
    if (found === null || segment.size < found.size) found = segment;
  });
  return found;
}

function reuse(segment) {
  segment.state = 'making';
  pool.bytes -= segment.size;
  natives.setDelete(idles, segment);
  try {
    rename(segment);
    if (segment.isMutable || segment.file === -1) fchmodSync(openFile(segment), 0o600);
    if (segment.size >= KEPT && !segment.isKept && loadAddon() !== null) segment.isKept = addon.keep(segment.key, segment.file, segment.size) === 0;
    return true;
  } catch { remove(segment); return false; }
}

function openFile(segment) {
  if (segment.file !== -1) return segment.file;
  chmodSync(FOLDER + segment.name, 0o600);
  openInto(segment, O_RDWR);
  return segment.file;
}

function openInto(segment, flags) {
  segment.isOpening = true;
  segment.file = openSync(FOLDER + segment.name, flags | O_NOFOLLOW | O_CLOEXEC, 0o600);
  segment.isOpening = false; pool.files++;
}

/** Gives a segment a new number, and so a new name. */
function rename(segment) {
  const number = held.next++;
  segment.next = nameFor(number);
  try { renameSync(FOLDER + segment.name, FOLDER + segment.next); } catch (error) { segment.next = null; throw fileFailure(error, segment.name); }
  const name = segment.next;
  segment.name = name; segment.next = null; segment.number = number; segment.isNamed = false;
}

/** Writes the whole of a segment: these bytes, and zeros behind them. */
function fillSegment(segment, bytes) {
  const size = lengthOf(bytes);
  try {
    if (!segment.isKept || addon.fill(segment.key, bytes) === 0) writeAll(segment.file, bytes, size, 0);
    if (size < segment.size) writeAll(segment.file, new Uint8Array(segment.size - size), segment.size - size, size);
    fchmodSync(segment.file, segment.isMutable ? 0o600 : 0o400);
  } catch (error) { remove(segment); throw fileFailure(error, segment.name); }
  if (pool.files > FILES_LIMIT) closeFile(segment);
}

function writeAll(file, bytes, size, place) {
  for (let at = 0; at < size;) at += writeSync(file, bytes, at, min(size - at, 1 << 30), place + at);
}

const fileFailure = (error, name) => (typeof error?.errno === 'number' ? failureOf(-error.errno, name) : error);

function closeFile(segment) {
  const { file } = segment;
  if (file === -1) return;
  segment.isOpening = true; segment.file = -1; pool.files--;
  closeSync(file);
  segment.isOpening = false;
}

/** Removes a segment of this kernel's, whatever has become of it. */
function remove(segment) {
  if (segment.state === 'idle') pool.bytes -= segment.size;
  segment.state = 'gone';
  if (addon !== null) addon.drop(segment.key);
  try { closeFile(segment); } catch { /* user code may have closed it */ }
  try { unlinkSync(FOLDER + segment.name); } catch { /* it never was */ }
  if (segment.next !== null) try { unlinkSync(FOLDER + segment.next); } catch { /* nor that */ }
  natives.setDelete(idles, segment);
  natives.setDelete(segments, segment);
}

/** Puts a segment into the pool when nobody can see it any more. */
function recycle(segment) {
  if (segment.state !== 'used' || segment.maps > 0 || segment.entry !== null) return;
  const most = min(self.limit / 8, 2 ** 30);
  if (segment.size > most || (segment.file === -1 && pool.files >= FILES_LIMIT)) { remove(segment); return; }
  setAdd(idles, segment);
  segment.used = ++pool.clock; segment.state = 'idle'; pool.bytes += segment.size;
  try { openFile(segment); } catch { remove(segment); }
  while (pool.bytes > most) remove(oldestIdle());
}

function oldestIdle() {
  let found = null;
  natives.setForEach(idles, (segment) => { if (segment.state === 'idle' && (found === null || segment.used < found.used)) found = segment; });
  return found;
}

function emptyPool() {
  for (let segment = oldestIdle(); segment !== null; segment = oldestIdle()) remove(segment);
}

/** The entry by which records name a segment; a number that was given back is not used again. */
function entryFor(segment) {
  if (segment.entry !== null) return segment.entry;
  if (segment.isNamed) rename(segment);
  const token = new Segment();
  const entry = { owner: null, number: segment.number, key: token, value: token, receiver: undefined, sent: 0, segment };
  mapSet(held.byNumber, entry.number, entry);
  segment.isNamed = true; segment.entry = entry;
  return entry;
}

/** What stands for a segment where somebody asks for the object with its number. */
class Segment {}

/** Meta is done with all records of a segment. */
function dropped(entry) {
  const { segment } = entry;
  if (segment.entry !== entry) return;
  segment.entry = null;
  recycle(segment);
}

/** Puts away what a teardown has left: no frame is being written or read. */
function recover() {
  natives.setForEach(segments, (segment) => {
    if (segment.isOpening) { closeLost(FOLDER + segment.name); segment.isOpening = false; }
    if (segment.state === 'making' || segment.state === 'gone') { remove(segment); return; }
    if (segment.next !== null && existsSync(FOLDER + segment.next)) { const { next } = segment; segment.name = next; }
    segment.next = null;
    const { entry } = segment;
    if (entry !== null && entry.sent === 0) { forget(entry); segment.entry = null; }
    recycle(segment);
  });
  if (reading.path !== null) { closeLost(reading.path); reading.path = null; }
  settle();
}

/** Closes a descriptor of a segment that was opened and never stored, or not closed. */
function closeLost(wanted) {
  const names = readdirSync('/proc/self/fd');
  for (let at = 0; at < names.length; at++) {
    try {
      const path = natives.fs.readlinkSync(`/proc/self/fd/${names[at]}`);
      if ((path === wanted || path === `${wanted} (deleted)`) && !isStored(+names[at])) closeSync(+names[at]);
    } catch { /* it is closed */ }
  }
}

function isStored(file) {
  let found = false;
  natives.setForEach(segments, (segment) => { if (segment.file === file) found = true; });
  return found;
}

// --------------------------------------------------------------------------------------------------------- publish

/** Writes any array that crosses as a buffer, otherwise its handle. */
function write(writer, value, prototype) {
  const layout = layoutFor(value, prototype);
  if (layout === null) { writer.hold(value); return; }
  const mapping = weakGet(mappings, layout.buffer);
  if (mapping !== undefined && mapping.entry !== null && travels(mapping, layout)) { writeForeign(writer, value, mapping, layout); return; }
  if (writer.share === 'live') writeLive(writer, value, layout);
  else writePublished(writer, value, layout, mapping);
}

function travels(mapping, layout) {
  const [from, to] = extentOf(layout);
  return !isWritten(mapping, from, to);
}

const KNOWN = ['buffer_id', 'format', 'shape', 'language', 'type', 'owner', 'generation', 'ref', 'segment', 'strides', 'offset', 'length', 'name', 'mutable'];

/** A record of known fields, in their order. */
function recordText(tag, fields) {
  let text = `{"_type":"${tag}"`;
  for (const name of natives.keysOf(fields)) {
    if (!includesText(KNOWN, name)) continue;
    const value = fields[name];
    const shown = isArray(value) ? numbers(value) : typeof value === 'string' ? stringifyJSON(clean(value)) : typeof value === 'number' || typeof value === 'boolean' ? `${value}` : null;
    if (shown !== null) text += `,"${name}":${shown}`;
  }
  return `${text}}`;
}

function includesText(list, wanted) {
  for (let at = 0; at < list.length; at++) if (list[at] === wanted) return true;
  return false;
}

/** Another owner's segment travels on by its own record, a part of it with a place of its own. */
function writeForeign(writer, value, mapping, layout) {
  const fields = layout.fields ?? partFields({ __proto__: null, ...mapping.fields }, layout, kindOf(value, layout));
  refer(writer, mapping.entry);
  writer.text += recordText('Buffer', fields);
}

function partFields(fields, { format, shape, strides, offset }, { language, type }) {
  fields.buffer_id ??= `${fields.owner}-${fields.generation}-${fields.ref}`;
  fields.language = language; fields.type = type;
  fields.format = format.name; fields.shape = shape; fields.offset = offset;
  delete fields.length; delete fields.name;
  if (isContiguous(shape, strides, format.size)) delete fields.strides; else fields.strides = strides;
  return fields;
}

function refer(writer, entry) {
  writer.refs ??= new natives.Set();
  setAdd(writer.refs, entry);
  writer.isShared = true;
}

function headText(value, layout, number) {
  const { format, shape } = layout;
  const { language, type } = kindOf(value, layout);
  return `{"_type":"Buffer","buffer_id":${number === 0 ? '""' : stringifyJSON(`${self.session}-${self.generation}-${number}`)},"format":"${format.name}"`
    + `,"shape":${numbers(shape)},"language":${stringifyJSON(clean(language))},"type":${stringifyJSON(clean(type))}`;
}

/** `,"strides":…,"offset":…,"name":…,"mutable":true`: what may be left out where it says nothing. */
function tailText({ format, shape, strides, offset, name }, isMutable) {
  let text = isContiguous(shape, strides, format.size) ? '' : `,"strides":${numbers(strides)}`;
  if (offset !== 0) text += `,"offset":${offset}`;
  if (name !== undefined) text += `,"name":${stringifyJSON(clean(name))}`;
  return isMutable ? `${text},"mutable":true` : text;
}

const ownerText = (number) => `,"owner":${stringifyJSON(self.session)},"generation":${self.generation},"ref":${number}`;

function writeLive(writer, value, layout) {
  const entry = kernel.entryOf(value);
  writer.refs ??= new natives.Set();
  setAdd(writer.refs, entry);
  writer.isLive = true;
  const isMutable = weakGet(mappings, layout.buffer)?.isMutable === true;
  const placed = { ...layout, offset: 0, strides: stridesOf(layout.shape, layout.format.size) };
  writer.text += `${headText(value, layout, entry.number)}${ownerText(entry.number)},"repr":${stringifyJSON(clean(reprOf(value)))},"callable":false${tailText(placed, isMutable)}}`;
}

function writePublished(writer, value, layout, mapping) {
  const bytes = layout.count * layout.format.size;
  const isMutable = mapping !== undefined && mapping.segment !== null && mapping.isMutable;
  if (bytes < INLINE && !isMutable) {
    const placed = { ...layout, offset: 0, strides: stridesOf(layout.shape, layout.format.size) };
    writer.text += `${headText(value, layout, 0)},"base64":"${base64(contentsOf(layout))}"${tailText(placed, false)}}`;
    return;
  }
  const own = mapping !== undefined && mapping.segment !== null && (isMutable || bytes * 4 >= mapping.size || isReady(mapping, layout));
  if (own) publishMapping(mapping, layout);
  const segment = own ? mapping.segment : copyToSegment(contentsOf(layout));
  const placed = own ? layout : { ...layout, offset: 0, strides: stridesOf(layout.shape, layout.format.size) };
  const entry = entryFor(segment);
  refer(writer, entry);
  writer.text += `${headText(value, layout, entry.number)}${ownerText(entry.number)},"segment":"${segment.name}"${tailText(placed, isMutable)}}`;
  if (own) rememberPlace(layout.buffer, layout, kindOf(value, layout), value);
}

/** What a column asks of a part: its format, how many items it has, whether they lie side by side; null for no array of one axis. */
function partOf(value) {
  if (typeof value !== 'object' || value === null || natives.isProxy(value)) return null;
  const layout = layoutFor(value, getPrototypeOf(value));
  if (layout === null || layout.shape.length !== 1) return null;
  return { format: layout.format.name, count: layout.count, isPlain: layout.format.made !== null && isContiguous(layout.shape, layout.strides, layout.format.size) };
}

const layoutOfPart = (value) => layoutFor(value, getPrototypeOf(value));

/** Whether arrays are all in segments of others, as they made them. */
function allTravel(values) {
  for (let at = 0; at < values.length; at++) {
    const layout = layoutOfPart(values[at]);
    const mapping = weakGet(mappings, layout.buffer);
    if (mapping === undefined || mapping.entry === null || !travels(mapping, layout)) return false;
  }
  return values.length > 0;
}

/** The records of arrays: what is in no segment yet goes to one new one, with all the others, each at a multiple of 64 bytes. */
function publishParts(writer, values, isInline = false) {
  const texts = [];
  const fresh = [];
  let size = 0;
  for (let at = 0; at < values.length; at++) {
    const layout = layoutOfPart(values[at]);
    const mapping = weakGet(mappings, layout.buffer);
    const bytes = layout.count * layout.format.size;
    if (!isInline && mapping !== undefined && mapping.entry !== null && travels(mapping, layout)) texts[at] = textOf(writer, () => writeForeign(writer, values[at], mapping, layout));
    else if (isInline) texts[at] = `${headText(values[at], layout, 0)},"base64":"${base64(contentsOf(layout))}"}`;
    else if (bytes === 0 || (mapping !== undefined && mapping.segment !== null)) texts[at] = textOf(writer, () => writePublished(writer, values[at], layout, mapping));
    else { push(fresh, { at, layout, offset: size, bytes }); size += floor((bytes + 63) / 64) * 64; }
  }
  if (size < INLINE) {
    for (let place = 0; place < fresh.length; place++) {
      const { at, layout } = fresh[place];
      texts[at] = textOf(writer, () => writePublished(writer, values[at], layout, undefined));
    }
    return texts;
  }
  const segment = whereFull(() => {
    const made = takeSegment(size, false);
    fillParts(made, fresh);
    return made;
  });
  segment.state = 'used';
  const entry = entryFor(segment);
  refer(writer, entry);
  for (let place = 0; place < fresh.length; place++) {
    const { at, layout, offset } = fresh[place];
    const placed = { ...layout, offset, strides: stridesOf(layout.shape, layout.format.size) };
    texts[at] = `${headText(values[at], layout, entry.number)}${ownerText(entry.number)},"segment":"${segment.name}"${tailText(placed, false)}}`;
  }
  return texts;
}

/** What `work` writes, by itself. */
function textOf(writer, work) {
  const before = writer.text;
  writer.text = '';
  work();
  const { text } = writer;
  writer.text = before;
  return text;
}

/** Writes arrays where they belong in a segment, and zeros between and behind them. */
function fillParts(segment, parts) {
  try {
    let end = 0;
    const zeros = (to) => { if (to > end) writeAll(segment.file, new Uint8Array(to - end), to - end, end); };
    for (let place = 0; place < parts.length; place++) {
      const { layout, offset, bytes } = parts[place];
      zeros(offset);
      writeAll(segment.file, contentsOf(layout), bytes, offset);
      end = offset + bytes;
    }
    zeros(segment.size);
    fchmodSync(segment.file, 0o400);
  } catch (error) { remove(segment); throw fileFailure(error, segment.name); }
  if (pool.files > FILES_LIMIT) closeFile(segment);
}

const base64 = (bytes) => toText(bufferFrom(bufferOf(bytes), offsetOf(bytes), bytesOf(bytes)), 'base64');

/** A new segment with these bytes. */
function copyToSegment(bytes) {
  const segment = whereFull(() => {
    const made = takeSegment(lengthOf(bytes), false);
    fillSegment(made, bytes);
    return made;
  });
  segment.state = 'used';
  return segment;
}

/** Does work that needs shared memory; where that is full once more, when the pool and what was collected are given up. */
function whereFull(work) {
  try { return work(); } catch (error) {
    if (!Failure.is(error) || error.code !== 'buffer/full') throw error;
    if (addon !== null && live.count > 0) { collect(); settle(); }
    emptyPool();
    return work();
  }
}

/** Whether a part of an own mapping can be read in its segment as it is. */
const isReady = (mapping, layout) => mapping.isSealed && travels(mapping, layout);

/** Has the contents of an own mapping in its segment, which changes no more. */
function publishMapping(mapping, layout) {
  if (mapping.isMutable) return;
  if (!mapping.isSealed) {
    const code = addon.seal(mapping.id, FOLDER + mapping.segment.name);
    if (code !== 0) throw failureOf(code, mapping.segment.name);
    mapping.isSealed = true;
    return;
  }
  if (!travels(mapping, layout)) moveMapping(mapping, layout.buffer);
}

/** The mapping was written to since its segment was published: its contents go to another one, which it then maps. */
function moveMapping(mapping, buffer) {
  const old = mapping.segment;
  const segment = copyToSegment(new Uint8Array(buffer));
  const code = addon.replace(mapping.id, FOLDER + segment.name);
  if (code !== 0) { remove(segment); throw failureOf(code, segment.name); }
  mapping.segment = segment; segment.maps++; segment.mapping = mapping; old.maps--; if (old.mapping === mapping) old.mapping = null;
  recycle(old);
}

const TEXT = 65536;

/** Writes long bytes as a segment; false where base64 has to do. */
function writeBytes(writer, value) {
  const buffer = bufferOf(value);
  const mapping = weakGet(mappings, buffer);
  const length = bytesOf(value);
  const layout = { shape: [length], strides: [1], offset: offsetOf(value), format: formats.uint8 };
  if (mapping !== undefined && mapping.entry !== null && travels(mapping, layout)) {
    const fields = { __proto__: null, ...mapping.fields, length, offset: layout.offset };
    if (layout.offset === 0) delete fields.offset;
    refer(writer, mapping.entry);
    writer.text += recordText('Bytes', fields);
    return true;
  }
  return writeLong(writer, 'Bytes', () => new Uint8Array(buffer, layout.offset, length), length);
}

/** Writes a long text as a segment; false where JSON has to do. */
function writeText(writer, text) {
  const length = byteLength(text, 'utf8');
  if (length < TEXT || !isText(text)) return false;
  return writeLong(writer, 'Text', () => bufferFrom(text, 'utf8'), length);
}

function writeLong(writer, tag, contents, length) {
  let entry;
  try { entry = entryFor(copyToSegment(contents())); } catch (error) {
    if (Failure.is(error)) return false;
    throw error;
  }
  refer(writer, entry);
  writer.text += `{"_type":"${tag}"${ownerText(entry.number)},"segment":"${entry.segment.name}","length":${length}}`;
  return true;
}

// --------------------------------------------------------------------------------------------------------- receive

const unreadable = (message) => new Failure('wire/unreadable', message);

/** The array of a Buffer record. */
function readBuffer(fields, listed) {
  const format = typeof fields.format === 'string' ? formats[fields.format] : undefined;
  if (format === undefined) throw unreadable(`a Buffer has no format ${slice(`${stringifyJSON(fields.format)}`, 0, 100)}`);
  if (!isShape(fields.shape, 0)) throw unreadable('the shape of a Buffer is at most 32 whole numbers');
  if (countOf(fields.shape, format.size) < 0) throw unreadable('the size of a Buffer overflows');
  if (has(fields, 'segment')) return attachArray(fields, format, listed);
  if (has(fields, 'base64')) return readInline(fields, format);
  return receive(...tripleField(fields), fields, listed);
}

function readInline(fields, format) {
  const data = natives.decodeBase64(fields.base64);
  if (data === undefined) throw unreadable('base64 of a Buffer is not canonical');
  const layout = layoutOf(format, fields.shape, stridesOf(fields.shape, format.size), 0, null, nameOf(fields));
  layout.origin = originOf(fields);
  if (data.length !== layout.count * format.size) throw unreadable(`a Buffer of ${layout.count * format.size} bytes came with ${data.length}`);
  return makeArray(bufferOf(data), layout);
}

const nameOf = (fields) => (typeof fields.name === 'string' ? fields.name : undefined);

function attachArray(fields, format, listed) {
  const { shape } = fields;
  const strides = fields.strides ?? stridesOf(shape, format.size);
  const offset = fields.offset ?? 0;
  if (!isShape(strides, -Infinity) || strides.length !== shape.length) throw unreadable('the strides of a Buffer are a whole number for each axis');
  if (!isSafeInteger(offset) || offset < 0) throw unreadable('the offset of a Buffer is a whole number');
  const layout = layoutOf(format, shape, strides, offset, fields, nameOf(fields));
  layout.origin = originOf(fields);
  if (!isSafeInteger(extentOf(layout)[1])) throw new Failure('buffer/range', 'the items of a Buffer lie outside its segment');
  return attach(fields, layout, false, listed);
}

/** The bytes of a Bytes record with a segment. */
function readBytes(fields, listed) {
  const { length, offset = 0 } = fields;
  if (!isSafeInteger(length) || length < 0 || !isSafeInteger(offset) || offset < 0) throw unreadable('length and offset of Bytes are whole numbers');
  return attach(fields, layoutOf(formats.uint8, [length], [1], offset, null, undefined), true, listed);
}

/** The text of a Text record. */
function readText(fields, listed) {
  const { length, offset = 0 } = fields;
  if (!isSafeInteger(length) || length < 0 || !isSafeInteger(offset) || offset < 0) throw unreadable('length and offset of Text are whole numbers');
  checkListed(fields, listed);
  if (length > constants.MAX_STRING_LENGTH) throw new Failure('value/too-large', `a text has at most ${constants.MAX_STRING_LENGTH} characters here`);
  const bytes = new Uint8Array(readRange(fields.segment, offset, offset + length), 0, length);
  try { return decodeUTF8(bytes); } catch { throw unreadable('a Text is not UTF-8'); }
}

/** The listed item of a record's segment; throws when the record is none. */
function checkListed(fields, listed) {
  const [owner, generation, number] = tripleField(fields);
  const item = mapGet(listed, keyOf(owner, generation, number));
  if (item === undefined) throw unreadable(`the body holds the segment ${owner} ${generation} ${number}, which its header does not list`);
  const isName = typeof fields.segment === 'string' && fields.segment.length < 256 && test(/^[A-Za-z0-9-]+$/, fields.segment) !== null;
  if (!isName || !startsWith(fields.segment, `meta-${natives.user}-`)) {
    throw new Failure('buffer/forged', `no name of a segment of this user's: ${slice(`${stringifyJSON(fields.segment)}`, 0, 100)}`);
  }
  if (owner === self.session) ownSegment(generation, number, fields.segment);
  return item;
}

function ownSegment(generation, number, name) {
  const segment = generation === self.generation ? mapGet(held.byNumber, number)?.segment : undefined;
  if (segment === undefined) throw new Failure('buffer/stale', `the segment ${number} of generation ${generation} is gone`);
  if (segment.name !== name) throw new Failure('buffer/forged', `the segment ${number} has another name`);
  return segment;
}

/** The array or bytes of a layout in a segment: in one mapping with all others there, or a copy where none can be made. */
function attach(fields, layout, isBytes, listed) {
  const item = checkListed(fields, listed);
  const [owner, generation, number] = tripleField(fields);
  const isMutable = fields.mutable === true;
  const segment = owner === self.session ? ownSegment(generation, number, fields.segment) : null;
  if (segment !== null && segment.isMutable !== isMutable) throw new Failure('buffer/forged', `the segment ${number} is ${isMutable ? 'not ' : ''}mutable`);
  if (layout.count === 0) { readRange(fields.segment, 0, 0); return finishArray(new ArrayBuffer(0), { ...layout, offset: 0, fields: null }, isBytes); }
  const entry = segment === null ? foreignEntry(owner, generation, number, fields.segment) : null;
  let buffer = knownBuffer(entry, segment, layout, isMutable);
  if (buffer === undefined) {
    if (loadAddon() === null || !mayMap(0)) return copied(fields, layout, isMutable, isBytes);
    buffer = mapSegment(fields, layout, isMutable, isBytes, entry, segment);
    if (buffer === undefined) return copied(fields, layout, isMutable, isBytes);
  }
  if (segment !== null) layout.fields = null;
  else item[3] = entry;
  return finishArray(buffer, layout, isBytes);
}

function finishArray(buffer, layout, isBytes) {
  if (isBytes) return new Uint8Array(buffer, layout.offset, layout.count);
  return weakGet(mappings, buffer) === undefined ? makeArray(buffer, layout) : arrayAt(buffer, layout);
}

/** What was not mapped is a copy, and its segment given back at once. */
function copied(fields, layout, isMutable, isBytes) {
  if (isMutable) throw loadAddon() === null ? new Failure('runtime/unsupported', 'this session cannot map, so it has no mutable buffers')
    : new Failure('buffer/mappings', `at most ${live.most} mappings are held; release() what is not needed`);
  const [from, to] = extentOf(layout);
  const buffer = readRange(fields.segment, from, to);
  return finishArray(buffer, { ...layout, offset: layout.offset - from, fields: null }, isBytes);
}

/** A mapping of the same segment that shows what the segment holds. */
function knownBuffer(entry, segment, layout, isMutable) {
  const known = segment === null ? entry.mappings : segment.mapping === null ? [] : [segment.mapping];
  for (let at = known.length - 1; at >= 0; at--) {
    const mapping = known[at];
    const [from, to] = extentOf(layout);
    if (mapping.isEnded || mapping.isMutable !== isMutable) continue;
    const buffer = addon.buffer(mapping.id);
    if (buffer === undefined || bufferBytes(buffer) !== mapping.size) continue;
    if (from < 0 || to > mapping.size) throw outside();
    if (!isWritten(mapping, from, to)) return buffer;
  }
  return undefined;
}

const outside = () => new Failure('buffer/range', 'the items of a Buffer lie outside its segment');

function mapSegment(fields, layout, isMutable, isBytes, entry, segment) {
  const made = addon.map(FOLDER + fields.segment, isMutable);
  if (made === NO_EXTERNAL) return undefined;
  if (typeof made === 'number') throw failureOf(made, fields.segment);
  const [from, to] = extentOf(layout);
  if (from < 0 || to > made[2]) { addon.unmap(made[1], made[0]); settle(); throw outside(); }
  const mapping = makeMapping({ isMutable, isBytes, format: layout.format, fields, entry, segment });
  adopt(made, mapping);
  if (segment !== null) { segment.maps++; segment.mapping = mapping; }
  else { push(entry.mappings, mapping); mapSet(foreign.byKey, entry.key, entry); }
  return made[0];
}

/** The entry of another owner's segment. It is kept from its first mapping to the end of its last. */
function foreignEntry(owner, generation, number, segment) {
  const key = keyOf(owner, generation, number);
  const known = mapGet(foreign.byKey, key);
  if (known !== undefined && known.mappings === undefined && kernel.isAlive(known)) throw unreadable(`${owner} ${generation} ${number} is no segment but an object`);
  if (known !== undefined && known.mappings !== undefined && isMapped(known)) {
    if (known.segment !== segment) throw new Failure('buffer/forged', `the segment ${number} of ${owner} has another name`);
    return known;
  }
  const entry = { owner, generation, number, key, received: 0, weak: null, members: null, released: false, type: '', repr: '', callable: false, segment, mappings: [] };
  entry.weak = () => (isMapped(entry) ? entry : undefined);
  return entry;
}

/** The bytes of a segment in ordinary memory, by the same checks as the addon's. */
function readRange(name, from, to) {
  let file;
  reading.path = FOLDER + name;
  try { file = openSync(FOLDER + name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); } catch (error) {
    throw error.errno === -ELOOP || error.errno === -ENXIO ? failureOf(FORGED, name) : fileFailure(error, name);
  }
  try {
    const status = fstatSync(file);
    if (!natives.isFile(status) || status.uid !== natives.user || (status.mode & 0o77) !== 0) throw failureOf(FORGED, name);
    if (from < 0 || to > status.size) throw outside();
    if (to - from > constants.MAX_LENGTH) throw failureOf(TOO_LARGE, name);
    return readAll(file, from, to, name);
  } finally { closeSync(file); reading.path = null; }
}

function readAll(file, from, to, name) {
  let bytes;
  try { bytes = new Uint8Array(to - from); } catch { throw new Failure('buffer/range', `there is no memory for the ${to - from} bytes of ${name}`); }
  for (let at = 0; at < to - from;) {
    const count = readSync(file, bytes, at, min(to - from - at, 1 << 30), from + at);
    if (count === 0) throw outside();
    at += count;
  }
  return bufferOf(bytes);
}

// ------------------------------------------------------------------------------------------------------------ make

/** An array of zeros: in a segment from the start where it can be. */
function empty(shape, format = 'float64', { mutable = false, name } = {}) {
  const found = typeof format === 'string' ? formats[format] : undefined;
  if (found === undefined) throw new Failure('buffer/format', `a format is one of ${join(natives.keysOf(formats), ' ')}, got ${kernel.describeValue(format)}`);
  const sizes = typeof shape === 'number' ? [shape] : [];
  if (typeof shape !== 'number') for (let at = 0; at < shape.length; at++) push(sizes, shape[at]);
  if (!isShape(sizes, 0) || countOf(sizes, found.size) < 0) throw new Failure('buffer/range', 'a shape is at most 32 whole numbers from 0 on');
  if (name !== undefined && typeof name !== 'string') throw new Failure('buffer/format', 'the name of a buffer is a text');
  const layout = layoutOf(found, sizes, stridesOf(sizes, found.size), 0, null, name);
  const bytes = layout.count * found.size;
  if (bytes > 0 && (mutable || bytes >= INLINE)) {
    const buffer = makeMapped(bytes, mutable === true, found);
    if (buffer !== null) return makeArray(buffer, layout);
  }
  try { return makeArray(new ArrayBuffer(bytes), layout); } catch { throw new Failure('buffer/range', `there is no memory for an array of ${bytes} bytes`); }
}

/** The ArrayBuffer of a new segment; null where ordinary memory has to do, which a mutable one cannot. */
function makeMapped(bytes, isMutable, format) {
  try {
    if (self.segments === null || loadAddon() === null) throw new Failure('runtime/unsupported', 'this session cannot map, so it has no mutable buffers');
    if (!mayMap(bytes)) throw new Failure('buffer/mappings', `at most ${live.most} mappings are held; release() what is not needed`);
    return createSegment(bytes, isMutable, format);
  } catch (error) {
    if (isMutable || !Failure.is(error)) throw error;
    return null;
  }
}

function createSegment(bytes, isMutable, format) {
  serveReleases();
  checkLimit(bytes);
  const [segment, made] = whereFull(() => createMapped(bytes, isMutable));
  const mapping = makeMapping({ isMutable, isSealed: false, format, segment });
  adopt(made, mapping);
  segment.maps = 1; segment.mapping = mapping; segment.state = 'used';
  return made[0];
}

function createMapped(bytes, isMutable) {
  const segment = addSegment(bytes, isMutable);
  const made = addon.create(FOLDER + segment.name, bytes);
  if (typeof made === 'number') { segment.state = 'gone'; natives.setDelete(segments, segment); throw failureOf(made, segment.name); }
  return [segment, made];
}

/** An array of the items of `data`: arrays in arrays, or another array. */
function array(data, format, options) {
  const prototype = typeof data === 'object' && data !== null ? getPrototypeOf(data) : null;
  const layout = natives.isProxy(data) || prototype === null ? null : layoutFor(data, prototype);
  if (layout === null) return arrayOfItems(data, format, options);
  const made = empty(layout.shape, format ?? layout.format.name, options);
  const to = weakGet(layouts, made);
  if (to.format === layout.format) { setAll(new Uint8Array(to.buffer), contentsOf(layout)); return made; }
  const target = new DataView(to.buffer);
  let place = 0;
  forEach(layout, (item) => { to.format.write(target, place, convert(item, to.format)); place += to.format.size; });
  return made;
}

function convert(item, { name }) {
  const isWide = name === 'int64' || name === 'uint64';
  if (isWide && typeof item !== 'bigint') return BigInt(item);
  return !isWide && typeof item === 'bigint' ? Number(item) : item;
}

function arrayOfItems(data, format, options) {
  const items = isArray(data) ? data : natives.from(data);
  const shape = [];
  for (let level = items; isArray(level) && shape.length <= 32; level = level[0]) push(shape, level.length);
  let first = items;
  while (isArray(first) && first.length > 0) first = first[0];
  const made = empty(shape, format ?? formatFor(first), options);
  const { buffer, format: to } = weakGet(layouts, made);
  const target = new DataView(buffer);
  let place = 0;
  const put = (level, axis) => {
    if (axis === shape.length) { to.write(target, place, convert(level, to)); place += to.size; return; }
    if (!isArray(level) || level.length !== shape[axis]) throw new Failure('buffer/format', `the arrays of an array are of one length, here ${shape[axis]}`);
    for (let at = 0; at < level.length; at++) put(level[at], axis + 1);
  };
  put(items, 0);
  return made;
}

function formatFor(item) {
  if (typeof item === 'bigint') return 'int64';
  if (typeof item === 'boolean') return 'bool';
  return typeof item === 'object' && item !== null && has(item, 're') ? 'complex128' : 'float64';
}

/** The array of a typed array's items in shared memory. */
function share(value, options) {
  if (!natives.isView(value) && !(typeof value === 'object' && value !== null && weakGet(layouts, value) !== undefined)) throw new TypeError(`not a typed array: ${kernel.describeValue(value)}`);
  return array(value, undefined, options);
}

/** Makes a function of the user's, whose failures are errors. */
const open = (work) => (...values) => { try { return work(...values); } catch (error) { throw asError(error); } };


function status() {
  let count = 0, bytes = 0;
  natives.setForEach(segments, (segment) => { count++; bytes += segment.size; });
  return { segments: count, bytes, mappings: live.count };
}

// Meta removes what is left, but it need not.
natives.onExit(() => natives.setForEach(segments, (segment) => { try { unlinkSync(FOLDER + segment.name); } catch { /* it is gone */ } }));

return {
  View, partOf, allTravel, publishParts, write, writeBytes, writeText, isBuffer, readBuffer, readBytes, readText, copyOf, dropped, recover, settle, look,
  status,
  isView: (prototype) => prototype === View.prototype,
  ability: () => (loadAddon() === null ? 'copy' : 'map'),
  empty: open(empty), array: open(array), share: open(share),
};
