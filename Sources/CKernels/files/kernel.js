'use strict';
// The JavaScript kernel of meta: runs the user's JavaScript in Node and answers requests.
//
// A request is one frame on descriptor 3: 16 hexadecimal digits (8: bytes of header, 8: bytes of body), a JSON
// header, a JSON body. Each request that has an id gets exactly one `ret` or `err`. On descriptor 4 the kernel asks
// meta: user code that uses an object of another language makes an upcall there and waits for its reply. User code
// lives in the global scope and owns descriptors 1 and 2. User code may change any prototype: what the kernel uses is
// taken here, first.

const {
  Array, BigInt, Buffer, Date, Error, EvalError, FinalizationRegistry, Function, JSON, Map, Math, Number, Object, Promise,
  Proxy, RangeError, ReferenceError, Reflect, RegExp, Set, String, Symbol, SyntaxError, TextDecoder, TypeError, URIError,
  Uint8Array, WeakMap, WeakRef, performance, process,
} = globalThis;
const fs = require('fs');
const vm = require('vm');

const { parse: parseJSON, stringify: stringifyJSON } = JSON;
const { isArray } = Array;
const { isSafeInteger, isFinite } = Number;
const {
  keys: keysOf, create, defineProperty, getPrototypeOf, getOwnPropertyNames, getOwnPropertySymbols, is,
  getOwnPropertyDescriptor, prototype: objectPrototype,
} = Object;
const { readSync, writeSync, openSync, fstatSync, closeSync } = fs;
const { ownKeys } = Reflect;
const arrayPrototype = Array.prototype;
const builtinModules = require('module').builtinModules.slice();
const NativeError = Error;
const apply = Reflect.apply;
/** Makes a function of a method, safe from later changes of its prototype: `slice(text, 1)`. */
const free = (method) => Function.prototype.call.bind(method);
const slice = free(String.prototype.slice);
const includes = free(String.prototype.includes);
const startsWith = free(String.prototype.startsWith);
const split = free(String.prototype.split);
const indexOf = free(String.prototype.indexOf);
const trim = free(String.prototype.trim);
const exec = free(RegExp.prototype.exec);
const test = (pattern, text) => exec(pattern, text);
const join = free(Array.prototype.join);
const push = (list, item) => { list[list.length] = item; };
const has = free(Object.prototype.hasOwnProperty);
const codeAt = free(String.prototype.charCodeAt);
const now = performance.now.bind(performance);
const dateISO = free(Date.prototype.toISOString);
const dateTime = free(Date.prototype.getTime);
const mapForEach = free(Map.prototype.forEach);
const setForEach = free(Set.prototype.forEach);
const mapGet = free(Map.prototype.get);
const mapHas = free(Map.prototype.has);
const mapSet = free(Map.prototype.set);
const mapDelete = free(Map.prototype.delete);
const mapSize = free(getOwnPropertyDescriptor(Map.prototype, 'size').get);
const setAdd = free(Set.prototype.add);
const setHas = free(Set.prototype.has);
const setDelete = free(Set.prototype.delete);
const setSize = free(getOwnPropertyDescriptor(Set.prototype, 'size').get);
const weakGet = free(WeakMap.prototype.get);
const weakHas = free(WeakMap.prototype.has);
const weakSet = free(WeakMap.prototype.set);
const deref = free(WeakRef.prototype.deref);
const register = free(FinalizationRegistry.prototype.register);
const promiseThen = free(Promise.prototype.then);
const symbolText = free(getOwnPropertyDescriptor(Symbol.prototype, 'description').get);
const { inspect, getSystemErrorName } = require('util');
const inspectOptions = {
  __proto__: null, customInspect: false, depth: 1, breakLength: Infinity, compact: true, maxArrayLength: 20, maxStringLength: 200,
};
const { isMap, isSet, isDate, isPromise, isUint8Array, isTypedArray, isBoxedPrimitive, isNativeError, isProxy, isArrayBufferView, isAnyArrayBuffer, isSharedArrayBuffer } = require('util').types;
const prototypes = {
  Map: Map.prototype, Set: Set.prototype, Date: Date.prototype, Uint8Array: Uint8Array.prototype,
};
const builtinErrors = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const NativeMap = Map, NativeSet = Set, NativeDate = Date, NativeBigInt = BigInt, NativeSymbol = Symbol;
const NativeProxy = Proxy, NativePromise = Promise, NativeWeakRef = WeakRef;
const { iterator: ITERATOR, asyncIterator: ASYNC_ITERATOR, toPrimitive: TO_PRIMITIVE, toStringTag: TO_STRING_TAG, hasInstance: HAS_INSTANCE } = Symbol;
const symbolFor = Symbol.for, symbolKey = Symbol.keyFor;
const { from: bufferFrom, alloc: bufferAlloc, allocUnsafe, concat, byteLength } = Buffer;
const toText = free(Buffer.prototype.toString);
const latin1 = free(Buffer.prototype.latin1Slice);
const utf8 = free(Buffer.prototype.utf8Slice);
const putText = free(Buffer.prototype.write);
const fill = free(Buffer.prototype.fill);
const indexOfByte = free(Buffer.prototype.indexOf);
const part = free(Buffer.prototype.subarray);
const copyInto = free(Buffer.prototype.copy);
const isUTF8 = require('buffer').isUtf8 ?? ((data) => { try { decodeUTF8(data); return true; } catch { return false; } });
const decodeUTF8 = TextDecoder.prototype.decode.bind(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }));
const BUFFERS_FILE = `${__dirname}/buffers.js`;
const TABLES_FILE = `${__dirname}/tables.js`;
const { getOwnPropertyDescriptors } = Object;
/** What buffers.js uses, which is loaded when the first array is met. */
const natives = {
  __proto__: null, Map, Set, WeakMap, WeakSet, Array, BigInt, Buffer, Math, Number, Object, String, Uint8Array, apply,
  math: { min: Math.min, max: Math.max, floor: Math.floor, log2: Math.log2 },
  freeze: Object.freeze, from: Array.from, keysOf, setForEach, setDelete, setSize, isProxy, isSharedArrayBuffer, isView: isArrayBufferView,
  iterator: ITERATOR, toStringTag: TO_STRING_TAG, pid: process.pid, errno: require('os').constants.errno, source: `${__dirname}/mapping.c`,
  typed: getOwnPropertyDescriptors(getPrototypeOf(Uint8Array.prototype)), view: getOwnPropertyDescriptors(globalThis.DataView.prototype),
  buffer: getOwnPropertyDescriptors(globalThis.ArrayBuffer.prototype), constants: require('buffer').constants,
  dlopen: process.dlopen.bind(process), user: process.geteuid(), runInNewContext: vm.runInNewContext,
  v8: () => require('v8'), structuredClone: () => globalThis.structuredClone, onExit: (work) => process.on('exit', work), isFile: free(fs.Stats.prototype.isFile),
  decodeBase64, addon: () => addonPlace, now, Date: NativeDate, inspect: inspect.custom,
};
for (const name of ['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'BigInt64Array', 'BigUint64Array', 'Float16Array', 'Float32Array', 'Float64Array']) natives[name] = globalThis[name];
natives.fs = { constants: fs.constants };
for (const name of ['openSync', 'closeSync', 'fstatSync', 'statSync', 'readSync', 'writeSync', 'renameSync', 'unlinkSync', 'fchmodSync', 'chmodSync',
  'readdirSync', 'readFileSync', 'readlinkSync', 'existsSync']) natives.fs[name] = fs[name];
const { compileFunction } = vm;

// ------------------------------------------------------------------------------------------------------------ hello

const DEPTH_LIMIT = 1000;
const HEADER_LIMIT = 1 << 20;
const BODY_LIMIT = require('buffer').constants.MAX_STRING_LENGTH; // a body is one string here

/** The header of the first frame: who this is and what it can do. */
function greeting() {
  return {
    op: 'hello', protocol: '1.0', language: 'js', version: process.versions.node, operations: [...keysOf(operations), 'release', 'cancel', 'hold', 'copy', 'each'],
    limits: { header: HEADER_LIMIT, body: BODY_LIMIT, depth: DEPTH_LIMIT }, buffers: ability(), plain: false,
    executable: process.execPath,
  };
}

/** Where the addon that maps segments lies, its compiler as words; a null `path` is none. Set by `ability`. */
const addonPlace = { path: null, compiler: null };

/** How segments are used: by mapping them where the addon is there or can be built, otherwise as files. */
function ability() {
  const { env } = process;
  if (env.META_NODE_ADDON === 'none') return 'copy';
  const path = `${__dirname}/mapping-8-${process.platform}-${process.arch}.node`;
  addonPlace.compiler = findCompiler(env);
  const isThere = fs.existsSync(path);
  if (!isThere && (addonPlace.compiler === null || !isWritable(__dirname))) return 'copy';
  addonPlace.path = path;
  return 'map';
}

function findCompiler({ CC, PATH = '' }) {
  if (CC !== undefined && trim(CC) !== '') return split(trim(CC), ' ');
  const folders = split(PATH, ':');
  for (const name of ['cc', 'gcc', 'clang']) {
    for (let at = 0; at < folders.length; at++) if (fs.existsSync(`${folders[at]}/${name}`)) return [`${folders[at]}/${name}`];
  }
  return null;
}

function isWritable(folder) {
  try { fs.accessSync(folder, fs.constants.W_OK); return true; } catch { return false; }
}

/** An error with a code of the protocol; `path` is where in a value it is. */
class Failure {
  #brand; // `instanceof` would run the traps of a Proxy

  constructor(code, message, path, type) {
    this.code = code; this.message = message; this.path = path; this.type = type;
  }

  static is(value) { return typeof value === 'object' && value !== null && #brand in value; }
}

/** An error of another language, with what that language said about it (`meta.Error`); `frames` are that language's. */
class MetaError extends NativeError {
  #brand;

  constructor(message = '', fields = {}) {
    super(message);
    this.code = fields.code ?? 'runtime/raised';
    this.type = fields.type ?? 'Error';
    this.frames = fields.frames ?? [];
    for (const name of ['cause', 'data', 'language', 'path', 'help', 'lost']) {
      if (has(fields, name) && fields[name] !== undefined) own(this, name, fields[name]);
    }
    // Its stack is printed under the name that its own language gave it.
    defineProperty(this, 'name', { __proto__: null, value: this.type, writable: true, configurable: true });
  }

  static is(value) { return typeof value === 'object' && value !== null && #brand in value; }
}
defineProperty(MetaError, 'name', { value: 'Error' });

/** A value of a type that JavaScript lacks, carried unchanged (`meta.Tagged`): `tag`, and its `fields`. */
class Tagged {
  constructor(tag, fields = {}) { this.tag = tag; this.fields = fields; }
}

/** What a Map that stands for an object is: its keys would be reordered in an object, and it goes home as one. */
class ObjectMap extends NativeMap {}

/** The keywords of a call to another language, as its last argument: `f(1, meta.keywords({reverse: true}))`. */
class Keywords {
  constructor(fields) { this.fields = fields; }
}

/** What crosses as a handle although it could be copied (`meta.ref`). */
class Held {
  constructor(value) { this.value = value; }
}

/** What the objects of other languages are instances of (`meta.Handle`). */
class Handle {
  static [HAS_INSTANCE](value) { return isHandle(value); }
}

const meta = { Error: MetaError, Tagged, ObjectMap, Handle };

// ----------------------------------------------------------------------------------------------------------- decode

// Digits that JSON.parse may round. A match may be inside text; the careful way is then merely slower.
const LONG_INTEGER = /[[,: \n\r\t-]\d{16,}[\],} \n\r\t]/;
const HALF_CHARACTER = /\\u[dD][89a-fA-F]/; // the escape of a surrogate

/**
 * The value of a JSON text (a Buffer); `listed` are the refs that its frame lists. Throws Failure `wire/unreadable`
 * naming the place, `session/stale-handle` for a ref that is gone.
 */
function decode(body, listed = NONE_LISTED) {
  if (!isUTF8(body)) throw new Failure('wire/unreadable', 'body is not UTF-8');
  const text = utf8(body, 0, body.length);
  if (text.length < 64 && test(/^\[\[(-?\d{1,15}(,-?\d{1,15})*)?\],\{\}\]$/, text)) return parseJSON(text);
  if (text.length > 256) {
    const value = decodePlain(text, body);
    if (value !== NOT_PLAIN) return value;
  }
  return new Reader(text, listed).read();
}

const NOT_PLAIN = Symbol('the careful way');

/**
 * What `JSON.parse` makes of a text when nothing was bent: no long integer, no tag, no escape of a surrogate, no number
 * beyond a float, no key that is there twice or that an object would reorder. Otherwise NOT_PLAIN.
 */
function decodePlain(text, body) {
  if ((includes(text, '\\ud') || includes(text, '\\uD')) && test(HALF_CHARACTER, text) !== null) return NOT_PLAIN;
  if (isPolluted()) return NOT_PLAIN;
  let value;
  try { value = parseJSON(text); } catch { return NOT_PLAIN; }
  if (typeof value !== 'object' || value === null) return NOT_PLAIN;
  walk.large = false;
  // A key that is there twice makes fewer keys than colons.
  if (countKeys(value, 1) !== countColons(body)) return NOT_PLAIN;
  return walk.large && test(LONG_INTEGER, text) !== null ? NOT_PLAIN : value;
}

const walk = { large: false }; // whether a number was met that may be a rounded integer
const LARGEST = Number.MAX_SAFE_INTEGER;

/** How many keys the objects in a value have; below 0 when one is an index or a tag, a number is infinite or it is too deep. */
function countKeys(value, depth) {
  if (depth > DEPTH_LIMIT) return -Infinity;
  let count = 0;
  if (isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const item = value[at];
      if (typeof item === 'object') { if (item !== null) count += countKeys(item, depth + 1); }
      else if (typeof item === 'number' && (item > LARGEST || item < -LARGEST)) { if (isFinite(item)) walk.large = true; else return -Infinity; }
    }
    return count;
  }
  for (const name in value) { // several times as fast as Object.keys
    if (count++ === 0 && isDigit(codeAt(name, 0)) && isIndex(name)) return -Infinity; // an object has its indexes first
    if (name === '_type') return -Infinity;
    const item = value[name];
    if (typeof item === 'object') { if (item !== null) count += countKeys(item, depth + 1); }
    else if (typeof item === 'number' && (item > LARGEST || item < -LARGEST)) { if (isFinite(item)) walk.large = true; else return -Infinity; }
  }
  return count;
}

const isDigit = (code) => code >= 48 && code <= 57;

/** How many colons follow a key; NaN when that is not plain to see. A quote inside text has a backslash before it. */
function countColons(body) {
  let count = 0;
  for (let at = 0; at < body.length; at++) {
    if (body[at] !== 58) continue;
    let before = at - 1;
    if (body[before] === 34) {
      if (body[before - 1] !== 92) { count++; continue; }
      let slashes = 1;
      while (body[before - 1 - slashes] === 92) slashes++;
      if (slashes % 2 === 0) count++;
    } else if (body[before] <= 32) {
      while (body[before] <= 32) before--;
      if (body[before] === 34) return NaN; // a key's end, or the end of text within text
    }
  }
  return count;
}

/**
 * A strict reader: duplicate keys, lone surrogates and numbers beyond a float are errors; long integers become
 * BigInt; integer-like keys keep their order in a Map. Strings and containers are taken whole from the text.
 */
class Reader {
  constructor(text, listed) { this.text = text; this.listed = listed; this.at = 0; this.depth = 0; }

  read() {
    this.space();
    const value = this.value();
    this.space();
    if (this.at !== this.text.length) this.fail('more text after the value');
    return value;
  }

  fail(what) { throw new Failure('wire/unreadable', `body is not JSON at character ${this.at}: ${what}`); }

  space() {
    for (;;) {
      const code = codeAt(this.text, this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  value() {
    const code = codeAt(this.text, this.at);
    if (code === 34) return this.string();
    if (code === 123) return this.object();
    if (code === 91) return this.array();
    if (code === 45 || (code >= 48 && code <= 57)) return this.number();
    if (code === 116) return this.word('true', true);
    if (code === 102) return this.word('false', false);
    if (code === 110) return this.word('null', null);
    return this.fail(this.at < this.text.length ? 'wanted a value' : 'it ends too early');
  }

  word(text, value) {
    if (!startsWith(this.text, text, this.at)) this.fail('wanted a value');
    this.at += text.length;
    return value;
  }

  string() {
    const { text } = this;
    const start = this.at;
    let at = start + 1;
    let plain = true;
    for (;;) {
      const code = codeAt(text, at);
      if (code === 34) break;
      if (code === 92) { plain = false; at++; } else if (code < 32 || code !== code) this.fail('a string without its end');
      at++;
    }
    this.at = at + 1;
    if (plain) return slice(text, start + 1, at);
    let value;
    try { value = parseJSON(slice(text, start, at + 1)); } catch { this.at = start; this.fail('a bad escape'); }
    if (!isText(value)) throw new Failure('value/surrogate', `a lone surrogate at character ${start}`);
    return value;
  }

  number() {
    const { text } = this;
    const start = this.at;
    let at = start;
    let whole = true;
    for (;; at++) {
      const code = codeAt(text, at);
      if (code >= 48 && code <= 57) continue;
      if (code === 45 && at === start) continue;
      if (code === 46 || code === 101 || code === 69 || code === 43 || code === 45) { whole = false; continue; }
      break;
    }
    const digits = slice(text, start, at);
    let value;
    try { value = parseJSON(digits); } catch { this.fail('a bad number'); }
    this.at = at;
    if (whole && !isSafeInteger(value)) return NativeBigInt(digits);
    if (!isFinite(value)) this.fail('a number beyond a float');
    return value;
  }

  enter() {
    if (++this.depth > DEPTH_LIMIT) throw new Failure('value/depth', `a value nests at most ${DEPTH_LIMIT} levels`);
    this.at++;
    this.space();
  }

  array() {
    const items = [];
    this.enter();
    if (codeAt(this.text, this.at) === 93) { this.at++; this.depth--; return items; }
    for (let index = 0; ; index++) {
      defineItem(items, index, this.value());
      this.space();
      const code = codeAt(this.text, this.at);
      if (code !== 44 && code !== 93) this.fail('wanted , or ]');
      this.at++;
      if (code === 93) break;
      this.space();
    }
    this.depth--;
    return items;
  }

  object() {
    const names = [];
    const values = [];
    this.enter();
    if (codeAt(this.text, this.at) === 125) { this.at++; this.depth--; return {}; }
    for (;;) {
      if (codeAt(this.text, this.at) !== 34) this.fail('wanted a key');
      push(names, this.string());
      this.space();
      if (codeAt(this.text, this.at) !== 58) this.fail('wanted :');
      this.at++;
      this.space();
      push(values, this.value());
      this.space();
      const code = codeAt(this.text, this.at);
      if (code !== 44 && code !== 125) this.fail('wanted , or }');
      this.at++;
      if (code === 125) break;
      this.space();
    }
    this.depth--;
    return readObject(names, values, this);
  }
}

function defineItem(items, index, value) {
  if (index === items.length) defineProperty(items, index, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

const isIndex = (name) => test(/^(0|[1-9]\d{0,9})$/, name) !== null && +name < 4294967295;

/** An object of names and values: plain, a Map where JavaScript would reorder the keys, or what its `_type` says. */
function readObject(names, values, reader) {
  const object = {};
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (has(object, name)) reader.fail(`the key ${stringifyJSON(name)} is there twice`);
    if (name === '__proto__' || name in objectPrototype) own(object, name, values[at]);
    else object[name] = values[at];
  }
  if (has(object, '_type')) return readTagged(object, reader);
  if (!isReordered(names)) return object;
  const map = new ObjectMap();
  for (let at = 0; at < names.length; at++) mapSet(map, names[at], values[at]);
  return map;
}

/** Whether an object would have these keys in another order: it has its indexes first, from the smallest on. */
function isReordered(names) {
  let last = -1;
  for (let at = 0; at < names.length; at++) {
    const code = codeAt(names[at], 0);
    if (!(code >= 48 && code <= 57 && isIndex(names[at]))) last = Infinity;
    else if (+names[at] <= last) return true;
    else last = +names[at];
  }
  return false;
}

function own(object, name, value) {
  defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function readTagged(object, { listed }) {
  const tag = object._type;
  const reader = typeof tag === 'string' && has(readers, tag) ? readers[tag] : undefined;
  const fields = create(null);
  for (const name of keysOf(object)) if (name !== '_type') fields[name] = object[name];
  if (reader !== undefined) {
    const value = reader(fields, keysOf(fields), listed);
    if (value !== KEEP) return value;
  }
  return new Tagged(tag, fields);
}

/** Whether the keys are all text and one is `_type`: how an object with that key crosses. A Map like that says so by its `kind`. */
function isLikeObject(pairs) {
  let isTyped = false;
  for (let at = 0; at < pairs.length; at++) {
    if (!isArray(pairs[at]) || pairs[at].length !== 2 || typeof pairs[at][0] !== 'string') return false;
    if (pairs[at][0] === '_type') isTyped = true;
  }
  return isTyped;
}

function objectOf(pairs) {
  const object = {};
  const names = [];
  for (let at = 0; at < pairs.length; at++) {
    if (has(object, pairs[at][0])) return KEEP;
    own(object, pairs[at][0], pairs[at][1]);
    push(names, pairs[at][0]);
  }
  if (!isReordered(names)) return object;
  const map = new ObjectMap();
  for (let at = 0; at < pairs.length; at++) mapSet(map, pairs[at][0], pairs[at][1]);
  return map;
}

/** Whether a number and a BigInt among the keys of a Map or Set would arrive elsewhere as one integer. */
function haveTwins(container) {
  const isKey = isMap(container) ? mapHas : setHas;
  let found = false;
  const look = (_, key) => {
    if (typeof key === 'bigint' && isSafeInteger(Number(key)) && isKey(container, Number(key))) found = true;
  };
  if (isMap(container)) mapForEach(container, look); else setForEach(container, look);
  return found;
}

const KEEP = NativeSymbol('not a value of JavaScript: it travels on as it came');
const one = (names, wanted) => names.length === 1 && names[0] === wanted;

const readers = {
  __proto__: null,
  Int: (fields) => {
    try { const value = NativeBigInt(fields.value); return isSafeInteger(+`${value}`) ? +`${value}` : value; } catch { return KEEP; }
  },
  Float: (fields) => {
    const found = { __proto__: null, NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity, '-0.0': -0 };
    return fields.value in found ? found[fields.value] : KEEP;
  },
  Bytes: (fields, names, listed) => {
    if (has(fields, 'segment')) return loadBuffers().readBytes(fields, listed);
    if (!one(names, 'base64') || typeof fields.base64 !== 'string') return KEEP;
    const bytes = decodeBase64(fields.base64);
    if (bytes === undefined) throw new Failure('wire/unreadable', 'base64 of Bytes is not canonical');
    return bytes;
  },
  Text: (fields, names, listed) => (has(fields, 'segment') ? loadBuffers().readText(fields, listed) : KEEP),
  Buffer: (fields, names, listed) => loadBuffers().readBuffer(fields, listed),
  Table: (fields, names, listed) => loadTables().read(fields, listed),
  DateTime: (fields, names) => {
    // A Date is an instant in UTC with milliseconds; what says more stays tagged.
    const found = one(names, 'value') && test(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{3})?(000)?(Z|\+00:00)$/, fields.value);
    if (!found) return KEEP;
    const date = new NativeDate(`${found[1]}${found[2] ?? '.000'}Z`);
    return dateTime(date) === dateTime(date) ? date : KEEP;
  },
  Set: (fields, names) => {
    if (!one(names, 'items') || !isArray(fields.items)) return KEEP;
    const set = new NativeSet();
    for (let at = 0; at < fields.items.length; at++) setAdd(set, fields.items[at]);
    return setSize(set) === fields.items.length ? set : KEEP;
  },
  Map: (fields, names) => {
    const isMap = names.length === 2 && fields.kind === 'Map';
    if (!isMap && !one(names, 'entries') || !isArray(fields.entries)) return KEEP;
    if (!isMap && isLikeObject(fields.entries)) return objectOf(fields.entries);
    const map = new NativeMap();
    for (let at = 0; at < fields.entries.length; at++) {
      const entry = fields.entries[at];
      if (!isArray(entry) || entry.length !== 2) return KEEP;
      mapSet(map, entry[0], entry[1]);
    }
    return mapSize(map) === fields.entries.length ? map : KEEP;
  },
  Ref: (fields, names, listed) => readRef(fields, listed),
  Undefined: (fields, names) => (names.length === 0 ? undefined : KEEP),
  Symbol: (fields, names) => (one(names, 'value') && typeof fields.value === 'string' ? symbolFor(fields.value) : KEEP),
  Error: (fields) => {
    if (fields.language === 'js' && has(builtinErrors, fields.type)) {
      const error = new builtinErrors[fields.type](fields.message);
      if ('cause' in fields) defineProperty(error, 'cause', { value: fields.cause, writable: true, configurable: true });
      return error;
    }
    return new MetaError(fields.message, fields);
  },
};

/** The bytes of base64 in memory of their own; undefined when it is not canonical. */
function decodeBase64(text) {
  if (typeof text !== 'string') return undefined;
  const data = bufferFrom(text, 'base64');
  if (toText(data, 'base64') !== text) return undefined;
  const bytes = new Uint8Array(data.length);
  copyInto(data, bytes);
  return bytes;
}

// ----------------------------------------------------------------------------------------------------------- encode

/** False for text with half a character. */
const isText = (text) => test(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/, text) === null;

/**
 * The JSON text of a value, exact; `encoded.refs` are then the handles in it, in order, or null, and `encoded.marks` the
 * header fields that say what it holds. A value that cannot be copied becomes a handle. `mode` is undefined, or `hold`:
 * the value itself crosses as a handle, or `copy`: its content crosses whatever its class. `share` says how arrays cross:
 * `live`, `publish` or `none`. Throws Failure `value/…` naming the path.
 */
function encode(value, mode, share = 'none') {
  encoded.marks = '';
  if (mode === undefined) {
    if (typeof value === 'number' && isSafeInteger(value) && !is(value, -0)) { encoded.refs = null; return `${value}`; }
    if (typeof value === 'object' && value !== null) {
      const text = encodePlain(value);
      if (text !== null) { encoded.refs = null; return text; }
    }
  }
  const writer = new Writer(mode === 'copy', self.segments === null ? 'none' : share);
  writer.outer = writing.current;
  writing.current = writer;
  try {
    if (mode === 'hold') writer.hold(value); else if (mode === 'copy') writer.copy(value); else writer.write(value, 1);
    writing.current = writer.outer;
  } catch (error) {
    writing.current = writer.outer;
    if (writer.refs !== null) setForEach(writer.refs, forgetUnsent);
    throw isTooLong(error) ? new Failure('value/too-large', `a body has at most ${BODY_LIMIT} characters`) : error;
  }
  encoded.refs = writer.refs;
  if (writer.isLive) encoded.marks += ',"live":true';
  if (writer.isShared) encoded.marks += ',"shared":true';
  return writer.text;
}

const encoded = { refs: null, marks: '' };
const writing = { current: null }; // the Writer of what is being encoded, and outside of it those whose code called

/** Whether a frame that is being encoded lists an entry: it is not counted yet. */
function isListedNow(entry) {
  for (let writer = writing.current; writer !== null; writer = writer.outer) if (writer.refs !== null && setHas(writer.refs, entry)) return true;
  return false;
}
/** How the arrays in what a request asks for cross. */
const shareOf = ({ op, share }) => (op === 'publish' || share === 'publish' ? 'publish' : share === 'none' ? 'none' : 'live');
const isTooLong = (error) => isNativeError(error) && (error.message === 'Invalid string length' || error.code === 'ERR_STRING_TOO_LONG');

/**
 * The text of a value that is plain JSON all through, otherwise null. `JSON.stringify` drops and bends what JSON lacks
 * without a word, so it is asked only after `isPlain` has seen every part.
 */
function encodePlain(value) {
  if (isPolluted() || !isPlain(value, 1)) return null;
  let text;
  try { text = stringifyJSON(value); } catch (error) {
    throw isTooLong(error) ? new Failure('value/too-large', `a body has at most ${BODY_LIMIT} characters`) : error;
  }
  // A lone surrogate comes out as an escape; `_type` may be a key.
  return includes(text, '\\ud') || includes(text, '"_type"') ? null : text;
}

/** `for in` would meet what user code has put there, and JSON.stringify would call a toJSON. */
const isPolluted = () => keysOf(objectPrototype).length > 0 || keysOf(arrayPrototype).length > 0 || 'toJSON' in arrayPrototype;

/** Whether a value holds only null, booleans, text, numbers that JSON keeps, arrays without more and plain objects. */
function isPlain(value, depth) {
  if (depth > DEPTH_LIMIT || isProxy(value)) return false; // a cycle ends here too
  if (isArray(value)) {
    if (getPrototypeOf(value) !== arrayPrototype || keysOf(value).length !== value.length) return false;
    for (let at = 0; at < value.length; at++) if (!isPlainItem(value[at], depth)) return false;
    return true;
  }
  if (getPrototypeOf(value) !== objectPrototype) return false;
  let count = 0;
  for (const name in value) { // several times as fast as Object.keys
    count++;
    if (!isPlainItem(value[name], depth)) return false;
  }
  // Two questions, as Reflect.ownKeys is slower than both.
  return getOwnPropertyNames(value).length === count && getOwnPropertySymbols(value).length === 0;
}

function isPlainItem(item, depth) {
  if (typeof item === 'string') return item.length < LONG_TEXT;
  if (typeof item === 'boolean') return true;
  if (typeof item === 'number') return item <= LARGEST && item >= -LARGEST && (item !== 0 || 1 / item > 0);
  return typeof item === 'object' && (item === null || isPlain(item, depth + 1));
}

const LONG_TEXT = 21846; // from here on a text may have 65,536 bytes, and cross as a segment
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Appends texts; the path of a failure is collected on the way out, so that success pays nothing for it. */
class Writer {
  constructor(copying, share) {
    this.text = ''; this.above = new NativeSet(); this.refs = null; this.copying = copying; this.share = share; this.isLive = false; this.isShared = false;
    this.outer = null;
  }

  write(value, depth) {
    switch (typeof value) {
      case 'string': return this.string(value);
      case 'number': return this.number(value);
      case 'boolean': this.text += value ? 'true' : 'false'; return undefined;
      case 'bigint': this.text += `${value}`; return undefined;
      case 'undefined': this.text += '{"_type":"Undefined"}'; return undefined;
      case 'symbol': return this.symbol(value);
      case 'function': return this.hold(value);
      default: return value === null ? void (this.text += 'null') : this.container(value, depth);
    }
  }

  /** Writes the content of the value itself, which is what was asked for. */
  copy(value) {
    if (typeof value === 'function') throw new Failure('value/uncopyable', 'a function cannot be copied', '', 'function');
    this.write(value, 1);
  }

  /** Writes a handle: of an object of another language its own. */
  hold(value) {
    const isHeld = typeof value === 'object' && value !== null && !isProxy(value) && getPrototypeOf(value) === Held.prototype;
    const entry = entryOf(isHeld ? value.value : value);
    this.refs ??= new NativeSet();
    setAdd(this.refs, entry);
    this.text += refText(entry);
  }

  string(value) {
    if (value.length < LONG_TEXT || this.share === 'none' || !loadBuffers().writeText(this, value)) this.plain(value);
  }

  /** Writes a text as JSON, as where nothing else can be read. */
  plain(value) {
    if (test(needsEscape, value) === null) { this.text += `"${value}"`; return; }
    if (!isText(value)) throw new Failure('value/surrogate', 'a string holds a lone surrogate', '', 'string');
    this.text += stringifyJSON(value);
  }

  number(value) {
    if (isSafeInteger(value) && !is(value, -0)) this.text += value;
    else if (!isFinite(value)) this.text += `{"_type":"Float","value":"${value}"}`;
    else if (value === 0) this.text += '{"_type":"Float","value":"-0.0"}';
    else {
      // 1e20 must not come out as an integer: past 2^53 the text of a number has a point or an exponent.
      const text = `${value}`;
      this.text += test(/[.e]/, text) === null ? `${text}.0` : text;
    }
  }

  symbol(value) {
    const key = symbolKey(value);
    if (key === undefined) { this.hold(value); return; }
    this.text += '{"_type":"Symbol","value":';
    this.plain(key);
    this.text += '}';
  }

  container(value, depth) {
    const proxy = isProxy(value);
    if (proxy && (!this.copying || isHandle(value))) return this.hold(value);
    if (setHas(this.above, value)) throw new Failure('value/cycle', `${typeName(value)} contains itself`, '', typeName(value));
    if (depth > DEPTH_LIMIT) throw new Failure('value/depth', `a value nests at most ${DEPTH_LIMIT} levels`, '', typeName(value));
    setAdd(this.above, value);
    const prototype = getPrototypeOf(value);
    if (isArray(value)) this.array(value, prototype, depth);
    else if (prototype === objectPrototype || prototype === null) this.object(value, prototype, depth);
    else this.special(value, prototype, depth);
    setDelete(this.above, value);
    return undefined;
  }

  /** Writes a key; `step` is its place in the path. */
  name(value, step) {
    try { this.plain(value); } catch (error) {
      if (Failure.is(error)) error.path = slice(step + (error.path ?? ''), 0, 1000);
      throw error;
    }
  }

  /** Writes one part of a container; `step` is its place in the path. */
  inside(value, depth, step) {
    try { this.write(value, depth); } catch (error) {
      if (Failure.is(error)) error.path = slice(step + (error.path ?? ''), 0, 1000);
      throw error;
    }
  }

  array(value, prototype, depth) {
    // Another class, holes or properties of its own: all that would be lost.
    if (!this.copying && (prototype !== arrayPrototype || keysOf(value).length !== value.length)) this.hold(value);
    else this.list(value, depth);
  }

  list(items, depth) {
    this.text += '[';
    for (let at = 0; at < items.length; at++) {
      if (at > 0) this.text += ',';
      const item = items[at];
      if (typeof item === 'string') this.simple(item, at);
      else if (typeof item === 'number') this.number(item);
      else this.inside(item, depth + 1, `[${at}]`);
    }
    this.text += ']';
  }

  simple(item, at) {
    if (item.length < LONG_TEXT && test(needsEscape, item) === null) this.text += `"${item}"`;
    else this.inside(item, 0, `[${at}]`);
  }

  object(value, prototype, depth) {
    const names = keysOf(value);
    if (!this.copying) {
      const hidden = getOwnPropertySymbols(value).length > 0 || getOwnPropertyNames(value).length !== names.length;
      if (hidden || prototype === null) return this.hold(value);
    }
    return this.fields(value, names, depth);
  }

  /** Writes properties as an object. A getter is user code, so it may throw. */
  fields(value, names, depth) {
    if (has(value, '_type')) {
      const pairs = [];
      for (let at = 0; at < names.length; at++) push(pairs, [names[at], value[names[at]]]);
      return this.pairs(pairs, depth);
    }
    let separator = '{';
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      this.text += separator;
      separator = ',';
      if (test(needsEscape, name) === null) this.text += `"${name}":`;
      else { this.name(name, keyPath(name)); this.text += ':'; }
      const item = value[name];
      if (typeof item === 'number') this.number(item);
      else if (typeof item === 'string' && item.length < LONG_TEXT && test(needsEscape, item) === null) this.text += `"${item}"`;
      else this.inside(item, depth + 1, keyPath(name));
    }
    this.text += separator === '{' ? '{}' : '}';
    return undefined;
  }

  special(value, prototype, depth) {
    if (prototype === Tagged.prototype) return this.tagged(value.tag, value.fields, depth);
    if (prototype === Held.prototype) return this.hold(value);
    if (isNativeError(value)) return this.error(value, prototype, depth);
    if (isMap(value) && prototype === ObjectMap.prototype) return this.objectMap(value, depth);
    if (this.copying) return this.content(value, depth);
    if (isArrayBufferView(value) || isAnyArrayBuffer(value)) return this.binary(value, prototype);
    if (buffers !== null && buffers.isView(prototype)) return this.buffer(value, prototype);
    if (tables !== null && tables.isTable(prototype)) return this.share === 'none' || hasExtras(value) ? this.hold(value) : tables.write(this, value);
    if (keysOf(value).length > 0) return this.hold(value);
    if (isMap(value) && prototype === prototypes.Map) return haveTwins(value) ? this.hold(value) : this.pairs(pairsOf(value), depth, true);
    if (isSet(value) && prototype === prototypes.Set) return haveTwins(value) ? this.hold(value) : this.items(value, depth);
    if (isDate(value) && prototype === prototypes.Date && isFinite(dateTime(value))) return this.date(value);
    return this.hold(value);
  }

  /** Writes what an object of any class holds: its entries, its items, otherwise its fields. */
  content(value, depth) {
    if (isMap(value)) return this.pairs(pairsOf(value), depth);
    if (isSet(value)) return this.items(value, depth);
    if (isDate(value)) return isFinite(dateTime(value)) ? this.date(value) : this.hold(value);
    const copied = buffers === null ? undefined : buffers.copyOf(value);
    if (copied !== undefined) return this.write(copied, depth);
    if (isUint8Array(value)) return this.bytes(value);
    const boxed = unbox(value);
    if (boxed !== value) return this.write(boxed, depth);
    if (isPromise(value) || weakHas(iterations, value)) return this.hold(value);
    if (typeof value[ITERATOR] === 'function') {
      const items = [];
      for (const item of value) push(items, item);
      return this.list(items, depth);
    }
    return this.fields(value, keysOf(value), depth);
  }

  /** Writes an array; one with properties of the user's own is a handle. */
  binary(value, prototype) {
    if (hasExtras(value)) return this.hold(value);
    if (prototype === prototypes.Uint8Array && (buffers === null || !buffers.isBuffer(value))) return this.bytes(value);
    return this.buffer(value, prototype);
  }

  buffer(value, prototype) {
    if (this.share === 'none') return this.hold(value);
    return loadBuffers().write(this, value, prototype);
  }

  bytes(value) {
    if (this.share !== 'none' && value.byteLength >= LONG_BYTES && loadBuffers().writeBytes(this, value)) return;
    this.text += `{"_type":"Bytes","base64":"${toText(bufferFrom(value.buffer, value.byteOffset, value.byteLength), 'base64')}"}`;
  }

  items(set, depth) {
    const items = [];
    setForEach(set, (item) => { push(items, item); });
    this.text += '{"_type":"Set","items":';
    this.list(items, depth + 1);
    this.text += '}';
  }

  pairs(pairs, depth, isMap) {
    this.text += '{"_type":"Map","entries":[';
    for (let at = 0; at < pairs.length; at++) {
      const where = keyPath(pairs[at][0]);
      this.text += at > 0 ? ',[' : '[';
      this.inside(pairs[at][0], depth + 3, where);
      this.text += ',';
      this.inside(pairs[at][1], depth + 3, where);
      this.text += ']';
    }
    this.text += isMap && isLikeObject(pairs) ? '],"kind":"Map"}' : ']}';
  }

  objectMap(value, depth) {
    const pairs = pairsOf(value);
    for (let at = 0; at < pairs.length; at++) {
      if (typeof pairs[at][0] !== 'string' || pairs[at][0] === '_type') return this.pairs(pairs, depth);
    }
    let separator = '{';
    for (let at = 0; at < pairs.length; at++) {
      this.text += separator;
      separator = ',';
      this.name(pairs[at][0], keyPath(pairs[at][0]));
      this.text += ':';
      this.inside(pairs[at][1], depth + 1, keyPath(pairs[at][0]));
    }
    this.text += separator === '{' ? '{}' : '}';
    return undefined;
  }

  date(value) { this.text += `{"_type":"DateTime","value":"${dateISO(value)}"}`; }

  error(value, prototype, depth) {
    const fields = { __proto__: null };
    if (MetaError.is(value)) {
      fields.code = value.code; fields.type = value.type; fields.message = value.message; fields.frames = value.frames;
      for (const name of ['cause', 'data', 'language']) if (has(value, name)) fields[name] = value[name];
    } else {
      const kind = typeName(value);
      const builtin = has(builtinErrors, kind) && prototype === builtinErrors[kind].prototype && keysOf(value).length === 0;
      if (!builtin && !this.copying) return this.hold(value);
      fields.code = 'runtime/raised'; fields.type = kind; fields.message = `${value.message}`;
      fields.frames = framesOf(value); fields.language = 'js';
      if (has(value, 'cause')) fields.cause = value.cause;
    }
    return this.tagged('Error', fields, depth);
  }

  tagged(tag, fields, depth) {
    this.text += '{"_type":';
    this.plain(`${tag}`);
    const names = keysOf(fields);
    for (let at = 0; at < names.length; at++) {
      this.text += ',';
      this.plain(names[at]);
      this.text += ':';
      const item = fields[names[at]];
      if (typeof item === 'string') this.name(item, keyPath(names[at])); else this.inside(item, depth + 1, keyPath(names[at]));
    }
    this.text += '}';
  }
}

const LONG_BYTES = 65536;
const withoutItems = { __proto__: null, customInspect: false, breakLength: Infinity, compact: true, maxArrayLength: 0, depth: 0 };

/**
 * Whether an array has properties besides its items. The names of a long typed array's would be those of all its items:
 * the console shows what else there is.
 */
function hasExtras(value) {
  if (getOwnPropertySymbols(value).length > 0) return true;
  if (!isTypedArray(value)) return keysOf(value).length > 0;
  const length = lengthOfTyped(value);
  if (length <= 64) return keysOf(value).length > length;
  try { return !test(/ \d+ more items \]$/, inspect(value, withoutItems)); } catch { return true; }
}
const lengthOfTyped = free(natives.typed.length.get);

function pairsOf(map) {
  const pairs = [];
  mapForEach(map, (item, key) => { push(pairs, [key, item]); });
  return pairs;
}

/** What `new Number(1)` and its like hold; anything else is itself. */
function unbox(value) {
  if (!isBoxedPrimitive(value)) return value;
  const inner = value.valueOf();
  return typeof inner === 'object' ? value : inner;
}

/** How a key looks in a path: `.name`, or in brackets. */
function keyPath(key) {
  if (typeof key === 'string') return test(/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u, key) !== null ? `.${key}` : `[${stringifyJSON(key)}]`;
  return typeof key === 'object' || typeof key === 'function' ? `[${typeName(key)}]` : `[${describeValue(key)}]`;
}

/** A value's type as a JavaScript user says it: `number`, `Array`, `Promise`, the name of a class. Never throws. */
function typeName(value) {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (isProxy(value)) return 'Proxy';
  try {
    for (let at = getPrototypeOf(value); at !== null; at = getPrototypeOf(at)) {
      const found = getOwnPropertyDescriptor(at, 'constructor');
      if (found === undefined) continue;
      const name = found.value === undefined ? undefined : getOwnPropertyDescriptor(found.value, 'name')?.value;
      if (typeof name === 'string' && name !== '') return name;
    }
  } catch { /* a prototype may be a Proxy that lies */ }
  return 'Object';
}

/** A short text for a value without running user code. */
function describeValue(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'symbol') return `Symbol(${symbolText(value) ?? ''})`;
  if (typeof value !== 'object' && typeof value !== 'function') return is(value, -0) ? '-0' : `${value}`;
  return value === null ? 'null' : `a value of type ${typeName(value)}`;
}

// ---------------------------------------------------------------------------------------------------------- handles

// What cannot be copied stays where it is and crosses as a Ref. An *entry* stands for one object: for one of this
// kernel's own { number, key, value, receiver, sent }, where `sent` counts the frames that listed it and that meta is not yet done with;
// for one of another language { owner, generation, number, type, repr, callable, weak, received }, where `weak` leads to
// the only proxy and `received` counts the frames that it came with. When the proxy dies that count goes to `releases`.

const self = { session: 'js', generation: 1, segments: null, limit: 0 };
const held = { byValue: new NativeMap(), byNumber: new NativeMap(), next: 1 };
const foreign = { byKey: new NativeMap(), sweepAt: 4096, breathe: false };
const proxies = new WeakMap(); // proxy -> its entry
const iterations = new WeakMap(); // an iterator that meta asks for items -> true
const releases = { list: [], since: 0, isPrompt: false }; // `isPrompt`: there are segments in it, which somebody waits for
const RELEASE_BATCH = 64;
const REPR_LIMIT = 200;
const NONE_LISTED = new NativeMap();

const isHandle = (value) => typeof value === 'object' && value !== null ? weakHas(proxies, value) : typeof value === 'function' && weakHas(proxies, value);

/** The entry of any value: of a proxy that of its object, otherwise one of this kernel's own. */
function entryOf(value) {
  if (isHandle(value)) return usable(weakGet(proxies, value));
  let entry = mapGet(held.byValue, value);
  if (entry === undefined || !is(entry.key, value)) { // a Map takes 0 and -0 for one
    entry = Method.is(value) ? { owner: null, number: held.next++, key: value, value: value.work, receiver: value.receiver, sent: 0 }
      : { owner: null, number: held.next++, key: value, value, receiver: undefined, sent: 0 };
    mapSet(held.byValue, value, entry);
    mapSet(held.byNumber, entry.number, entry);
  }
  return entry;
}

function forget(entry) {
  mapDelete(held.byNumber, entry.number);
  if (mapGet(held.byValue, entry.key) === entry) mapDelete(held.byValue, entry.key);
}

function forgetUnsent(entry) { if (entry.owner === null && entry.sent <= 0) drop(entry); }

/** Ends an own entry that nobody names any more. */
function drop(entry) {
  forget(entry);
  if (entry.segment !== undefined) buffers.dropped(entry);
}

/** An entry's [owner, generation, number], as JSON. */
function tripleOf(entry) {
  return entry.owner === null ? `[${stringifyJSON(self.session)},${self.generation},${entry.number}]`
    : `[${stringifyJSON(entry.owner)},${entry.generation},${entry.number}]`;
}

/** The Ref of an entry, as JSON. */
function refText(entry) {
  const mine = entry.owner === null;
  const type = mine ? typeName(entry.value) : entry.type;
  const repr = mine ? reprOf(entry.value) : entry.repr;
  const callable = mine ? typeof entry.value === 'function' : entry.callable;
  return `{"_type":"Ref","owner":${stringifyJSON(mine ? self.session : entry.owner)},"generation":${mine ? self.generation : entry.generation}`
    + `,"ref":${entry.number},"type":${stringifyJSON(clean(type))},"repr":${stringifyJSON(clean(repr))},"callable":${callable}}`;
}

/** How a value looks, in one line of at most 200 characters; runs no code of the user's but `Symbol.toStringTag`. */
function reprOf(value) {
  let text;
  try { text = inspect(value, inspectOptions); } catch { text = `<${typeName(value)}>`; }
  const { length } = text;
  text = slice(text, 0, REPR_LIMIT);
  if (test(/[\u0000-\u001f\u007f-\u009f]/, text) !== null) text = slice(escapeControls(text), 0, REPR_LIMIT);
  return length > REPR_LIMIT ? `${slice(text, 0, REPR_LIMIT - 1)}…` : text;
}

function escapeControls(text) {
  let escaped = '';
  for (let at = 0; at < text.length; at++) {
    const code = codeAt(text, at);
    if (code === 10) escaped += '\\n';
    else if (code === 9) escaped += '\\t';
    else if (code < 32 || (code >= 127 && code < 160)) escaped += `\\x${HEX[code >> 4]}${HEX[code & 15]}`;
    else escaped += text[at];
  }
  return escaped;
}

/** The header field `refs` for what was encoded, with its comma; the frame that goes out next counts as a sending of each. Null is none. */
function refsField(refs) {
  sending.list = NO_ENTRIES;
  if (refs === null) return '';
  let text = '';
  const list = [];
  setForEach(refs, (entry) => {
    text += `${text === '' ? '' : ','}${tripleOf(entry)}`;
    if (entry.owner === null) push(list, entry);
  });
  sending.list = list;
  return `,"refs":[${text}]`;
}

const NO_ENTRIES = [];
const sending = { list: NO_ENTRIES }; // own entries that the next frame lists

/** Puts refs into one set; either may be null. */
function joinRefs(one, two) {
  if (one === null || two === null) return one ?? two;
  setForEach(two, (entry) => { setAdd(one, entry); });
  return one;
}

const keyOf = (owner, generation, number) => `${number} ${generation} ${owner}`;
const isCount = (value) => isSafeInteger(value) && value > 0;

/** What a frame's header lists: key -> [owner, generation, number, the entry if it was met in the body]. */
function listRefs(refs) {
  if (refs === undefined || refs === null) return NONE_LISTED;
  if (!isArray(refs)) throw new Failure('wire/unreadable', 'the header field refs is not a vector');
  const listed = new NativeMap();
  for (let at = 0; at < refs.length; at++) {
    const triple = refs[at];
    if (!isArray(triple) || typeof triple[0] !== 'string' || !isCount(triple[1]) || !isCount(triple[2])) {
      throw new Failure('wire/unreadable', `the header lists what is no ref: ${slice(`${stringifyJSON(triple)}`, 0, 100)}`);
    }
    mapSet(listed, keyOf(triple[0], triple[1], triple[2]), [triple[0], triple[1], triple[2], null, false]);
  }
  return listed;
}

/**
 * Counts a frame's refs as received, and gives back those whose proxy nobody has. It comes after the frame has been
 * dealt with: a frame that a teardown hit may be read again, and a count too small only keeps something too long.
 */
function countReceived(listed) {
  if (listed === NONE_LISTED) return;
  mapForEach(listed, (item) => {
    if (item[0] === self.session || item[4]) return; // a teardown makes this run again
    if (item[3] !== null && isAlive(item[3])) { item[4] = true; item[3].received++; return; }
    queueRelease(item[0], item[1], item[2], 1, item[3] === null || item[3].segment !== undefined);
    item[4] = true;
  });
}

/** Whether somebody has an entry's proxy, or an array in its segment. */
const isAlive = ({ weak }) => (typeof weak === 'function' ? weak() : deref(weak)) !== undefined;

const readRef = (fields, listed) => receive(...tripleField(fields), fields, listed);

/** The owner, generation and number of a record. */
function tripleField({ owner, generation, ref }) {
  if (typeof owner === 'string' && isCount(generation) && isCount(ref)) return [owner, generation, ref];
  throw new Failure('wire/unreadable', 'a Ref needs an owner, a generation and a number');
}

/** The object that a ref stands for: this kernel's own, or the only proxy of another's. */
function receive(owner, generation, number, record, listed) {
  const key = keyOf(owner, generation, number);
  const item = mapGet(listed, key);
  if (item === undefined) throw new Failure('wire/unreadable', `the body holds the ref ${owner} ${generation} ${number}, which its header does not list`);
  if (owner === self.session) return ownValue(generation, number);
  let entry = mapGet(foreign.byKey, key);
  if (entry !== undefined && entry.segment !== undefined) throw new Failure('wire/unreadable', `${owner} ${generation} ${number} is a segment`);
  let proxy = entry === undefined ? undefined : deref(entry.weak);
  if (proxy === undefined) {
    if (mapSize(foreign.byKey) > foreign.sweepAt) sweep();
    entry = {
      owner, generation, number, key, received: 0, weak: null, members: null, released: false,
      type: typeof record.type === 'string' ? record.type : '', repr: typeof record.repr === 'string' ? record.repr : '', callable: record.callable === true,
    };
    proxy = makeProxy(entry);
    entry.weak = new NativeWeakRef(proxy);
    mapSet(foreign.byKey, key, entry);
    weakSet(proxies, proxy, entry);
    register(registry, proxy, entry);
  }
  item[3] = entry;
  return proxy;
}

/** A function that was read as another object's member: called from elsewhere it has that object as `this`. */
class Method {
  #brand;

  constructor(work, receiver) { this.work = work; this.receiver = receiver; }

  static is(value) { return typeof value === 'object' && value !== null && #brand in value; }
}

const methods = new WeakMap(); // receiver -> Map from a function to its Method

/** A member as it crosses: a function keeps its receiver; what is no function, a class or a handle, is itself. */
function asMember(value, receiver) {
  const isObject = typeof receiver === 'object' || typeof receiver === 'function';
  if (typeof value !== 'function' || !isObject || receiver === null || isHandle(value) || startsWithClass(value)) return value;
  let known = weakGet(methods, receiver);
  if (known === undefined) weakSet(methods, receiver, known = new NativeMap());
  let method = mapGet(known, value);
  if (method === undefined) mapSet(known, value, method = new Method(value, receiver));
  return method;
}

const ownValue = (generation, number) => ownEntry(generation, number).value;

function ownEntry(generation, number) {
  const entry = generation === self.generation ? mapGet(held.byNumber, number) : undefined;
  if (entry === undefined) {
    throw new Failure('session/stale-handle', `the ref ${number} of generation ${generation} is gone from ${self.session}, which is at generation ${self.generation}`);
  }
  return entry;
}

/** The value that a request is about. */
const targetOf = (ref) => targetEntry(ref).value;

/** The entry that a request is about; `ref` is a number of this kernel's own, or a whole triple. */
function targetEntry(ref) {
  if (isCount(ref)) return ownEntry(self.generation, ref);
  if (isArray(ref) && ref.length === 3 && ref[0] === self.session && isCount(ref[1]) && isCount(ref[2])) return ownEntry(ref[1], ref[2]);
  throw new Failure('wire/unreadable', `a ref is a number from 1, got ${slice(`${stringifyJSON(ref)}`, 0, 100)}`);
}

const registry = new FinalizationRegistry(retire);

/** Ends an entry whose proxy is dead, once. */
function retire(entry) {
  if (entry.received > 0) queueRelease(entry.owner, entry.generation, entry.number, entry.received, entry.segment !== undefined);
  entry.received = 0;
  if (mapGet(foreign.byKey, entry.key) === entry) mapDelete(foreign.byKey, entry.key);
}

/** Looks for dead proxies: Node tells of them only when its loop turns, which a burst of requests keeps from. */
function sweep() {
  mapForEach(foreign.byKey, (entry) => { if (entry.weak !== null && !isAlive(entry)) retire(entry); });
  const size = mapSize(foreign.byKey);
  foreign.sweepAt = size + 4096 + size / 8;
  foreign.breathe = true; // the registry drops its cells of the dead only when the loop turns
}

function queueRelease(owner, generation, number, times, isPrompt) {
  if (releases.list.length === 0) releases.since = now();
  if (isPrompt) releases.isPrompt = true;
  push(releases.list, `[${stringifyJSON(owner)},${generation},${number},${times}]`);
}

/** Gives back what is queued, when many have gathered or segments are among them, or at once; whether it did. */
function sendReleases(atOnce) {
  const { list } = releases;
  if (list.length === 0 || !(atOnce || releases.isPrompt || list.length >= RELEASE_BATCH)) return false;
  const frame = frameOf(`{"op":"release","refs":[${join(list, ',')}]}`, '');
  channel.sent = 0; releases.list = []; releases.isPrompt = false; channel.outgoing = frame; // from here on a teardown sends it
  flush(channel);
  return true;
}

/** Drops what meta is done with. The frame waits in its channel while that is not done. */
function opRelease({ refs }, from) {
  from.given = isArray(refs) ? refs : NO_ENTRIES;
}

/** Takes the first of what a `release` frame gives back. */
function takeGiven(from) {
  const item = from.given[from.taken];
  const isOwn = isArray(item) && item[0] === self.session && item[1] === self.generation && isCount(item[3]);
  const entry = isOwn ? mapGet(held.byNumber, item[2]) : undefined;
  if (entry === undefined) { from.taken++; return; }
  entry.sent -= item[3]; from.taken++; // a teardown comes before both or after
  if (entry.sent <= 0 && !isListedNow(entry)) drop(entry);
}

/** Drops what a teardown has left without a count: no frame is being written. */
const dropUnsent = () => mapForEach(held.byNumber, forgetUnsent);

function usable(entry) {
  if (entry.released) throw new MetaError(`the handle of ${entry.repr} was released`, { code: 'session/stale-handle', type: 'StaleHandle' });
  return entry;
}

// A proxy answers by itself what Node and JavaScript ask of any object; all else is an upcall to the object's owner.

const INSPECT = inspect.custom;
const describeHandle = (proxy) => { const { owner, type, repr } = weakGet(proxies, proxy); return `<${owner} ${type}: ${repr}>`; };
const customInspect = { __proto__: null, value() { return isHandle(this) ? describeHandle(this) : '<handle>'; } };
const objectTarget = create(null, { [INSPECT]: customInspect });
const functionTarget = create(Function.prototype, { [INSPECT]: customInspect });
const makeTarget = free(Function.prototype.bind);
const setPrototype = Object.setPrototypeOf;

/** The proxy of an entry. Its target shows its kind to `typeof` and to the console, and has no properties. */
function makeProxy(entry) {
  if (!entry.callable) return new NativeProxy(create(objectTarget), new Traps(entry));
  const target = makeTarget(function handle() {}); // bound: it may be constructed and has no fixed property
  delete target.name;
  delete target.length;
  return new NativeProxy(setPrototype(target, functionTarget), new Traps(entry));
}

const isItem = (name) => typeof name === 'string' && test(/^(0|[1-9]\d{0,14})$/, name) !== null;
/** Whether an error says that there is no such attribute, rather than comes from code that ran. */
const isMissing = (error) => MetaError.is(error) && error.frames.length === 0
  && (error.code === 'runtime/missing' || error.type === 'AttributeError' || error.type === 'KeyError' || error.type === 'IndexError' || error.type === 'TypeError');

class Traps {
  constructor(entry) { this.entry = entry; }

  get(target, name, proxy) {
    if (typeof name === 'symbol') return symbolOf(this.entry, name, proxy);
    if (has(localNames, name)) return localNames[name](this.entry, proxy);
    if (isItem(name)) return attempt(() => upcall('get', this.entry, ITEM, +name));
    const value = attempt(() => upcall('get', this.entry, pathField(name)));
    if (value !== undefined || this.entry.callable) return value;
    if (name === 'length') return attempt(() => upcall('inspect', this.entry).length ?? undefined);
    return attempt(() => upcall('get', this.entry, ITEM, name));
  }

  set(target, name, value) {
    if (typeof name === 'symbol') return false;
    this.entry.members = null;
    if (isItem(name)) { upcall('set', this.entry, ITEM, [+name, value]); return true; }
    try { upcall('set', this.entry, pathField(name), value); } catch (error) {
      if (!isMissing(error)) throw error;
      try { upcall('set', this.entry, ITEM, [name, value]); } catch { throw error; }
    }
    return true;
  }

  has(target, name) {
    if (typeof name === 'symbol') return name === ITERATOR || name === TO_PRIMITIVE || name === TO_STRING_TAG;
    return includesName(membersOf(this.entry), name) || attempt(() => upcall('get', this.entry, ITEM, isItem(name) ? +name : name)) !== undefined;
  }

  ownKeys() { this.entry.members = null; return membersOf(this.entry).slice(); }

  getOwnPropertyDescriptor(target, name) {
    if (typeof name === 'symbol' || !includesName(membersOf(this.entry), name)) return undefined;
    return { get: () => this.get(target, name), set: (value) => { this.set(target, name, value); }, enumerable: true, configurable: true };
  }

  defineProperty(target, name, { value }) { return this.set(target, name, value); }
  deleteProperty(target, name) { throw unsupported(`a property of a handle cannot be deleted: ${describeValue(name)}`); }
  setPrototypeOf() { return false; }
  preventExtensions() { return false; }
  apply(target, receiver, values) { return upcall('call', this.entry, '', argumentsOf(values)); }
  construct(target, values) {
    const value = upcall('call', this.entry, '', argumentsOf(values));
    return typeof value === 'object' && value !== null || typeof value === 'function' ? value : Object(value);
  }
}

const ITEM = ',"item":true';
const pathField = (name) => `,"path":[${stringifyJSON(clean(name))}]`;
const unsupported = (message) => new MetaError(message, { code: 'runtime/unsupported', type: 'TypeError' });

/** What an upcall gives; undefined when the object has no such attribute or item. */
function attempt(ask) {
  try { return ask(); } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function membersOf(entry) {
  entry.members ??= [...new NativeSet((upcall('inspect', entry).members ?? []).filter((name) => typeof name === 'string'))];
  return entry.members;
}

function includesName(names, wanted) {
  for (let at = 0; at < names.length; at++) if (names[at] === wanted) return true;
  return false;
}

/** The arguments of a call as its body: [arguments, keywords]. */
function argumentsOf(values) {
  const list = [];
  for (let at = 0; at < values.length; at++) defineItem(list, at, values[at]);
  const last = list[list.length - 1];
  if (typeof last !== 'object' || last === null || isProxy(last) || getPrototypeOf(last) !== Keywords.prototype) return [list, {}];
  list.length -= 1;
  return [list, last.fields];
}

/** Properties that a proxy has by itself. `then` is not there, so that a handle can be awaited. */
const localNames = {
  __proto__: null,
  then: () => undefined,
  constructor: () => undefined,
  prototype: () => undefined,
  toJSON: (entry) => () => ({ owner: entry.owner, type: entry.type, repr: entry.repr }),
  toString: (entry) => () => entry.repr,
  toLocaleString: (entry) => () => entry.repr,
  valueOf: (entry, proxy) => () => proxy,
  async: (entry, proxy) => (entry.callable ? (...values) => upcallLater('call', weakGet(proxies, proxy), '', argumentsOf(values)) : upcall('get', entry, pathField('async'))),
};

function symbolOf(entry, name, proxy) {
  if (name === ITERATOR) return () => iterate(proxy);
  if (name === ASYNC_ITERATOR) return () => iterateLater(proxy);
  if (name === TO_PRIMITIVE) return (hint) => (hint === 'number' ? NaN : entry.repr);
  if (name === TO_STRING_TAG) return entry.type;
  if (name === INSPECT) return () => describeHandle(proxy);
  return undefined;
}

const CHUNK_OF_ITEMS = ',"count":1000';

/** The items of an object of another language, a thousand a round trip. */
function* iterate(proxy) {
  for (let source = proxy; source !== null;) {
    const { value, iterator } = upcall('items', weakGet(proxies, source), CHUNK_OF_ITEMS, undefined, true);
    for (let at = 0; at < value.length; at++) yield value[at];
    source = iterator;
  }
}

async function* iterateLater(proxy) {
  for (let source = proxy; source !== null;) {
    const { value, iterator } = await upcallLater('items', weakGet(proxies, source), CHUNK_OF_ITEMS, undefined, true);
    for (let at = 0; at < value.length; at++) yield value[at];
    source = iterator;
  }
}

// ---------------------------------------------------------------------------------------------------------- streams

/** Nothing has to be flushed before a reply: writes wait until all is written. What breaks outside a request is only reported. */
function startStreams() {
  for (const name of ['stdout', 'stderr']) { // made at first use, since that takes Node a while
    const made = Object.getOwnPropertyDescriptor(process, name);
    Object.defineProperty(process, name, { ...made, get() {
      const stream = apply(made.get, process, []);
      stream._handle?.setBlocking?.(true); // a full pipe would otherwise be left for later
      if (stream._handle && !has(stream, 'write')) writeAtOnce(stream, name === 'stdout' ? 1 : 2);
      return stream;
    } });
  }
  const report = (error) => {
    if (error === UNWOUND) return;
    try { writeSync(2, `Uncaught ${reportText(error)}\n`); } catch { /* descriptor 2 is the user's to close */ }
  };
  const { emitWarning } = process;
  process.emitWarning = (warning, ...rest) => { // that option is the kernel's choice, not the user's
    if (!includes(`${warning}`, 'USE_MAIN_CONTEXT_DEFAULT_LOADER')) apply(emitWarning, process, [warning, ...rest]);
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
}

/**
 * Writes before it returns. Node counts what a pipe has taken as under way until the event loop turns, which it need not do
 * between two requests, and keeps what is written meanwhile.
 */
function writeAtOnce(stream, descriptor) {
  const { write } = stream, { nextTick } = process;
  stream.write = function (chunk, encoding, done) {
    const isWaiting = stream.destroyed || stream.writableEnded || stream.writableLength > 0 || stream.writableCorked > 0;
    if (isWaiting || typeof chunk !== 'string' && !isUint8Array(chunk)) return apply(write, stream, arguments);
    const then = typeof encoding === 'function' ? encoding : done;
    const bytes = typeof chunk === 'string' ? bufferFrom(chunk, typeof encoding === 'string' ? encoding : 'utf8') : chunk;
    let error = null, at = 0;
    try {
      while (at < bytes.length) at += writeSync(descriptor, bytes, at, bytes.length - at);
    } catch (failure) {
      // Somebody has made it non-blocking.
      if (failure?.code === 'EAGAIN') return apply(write, stream, [bytes.subarray(at), then]);
      error = failure;
    }
    if (typeof then === 'function') apply(nextTick, process, [then, error]);
    return true;
  };
}

function reportText(error) {
  try {
    if (isNativeError(error) && typeof error.stack === 'string') return error.stack;
  } catch { /* `stack` may be a getter that throws */ }
  return describeValue(error);
}

// --------------------------------------------------------------------------------------------------------- evaluate

const sources = new Map(); // name of a source -> its text, for the lines in frames
const SOURCES_LIMIT = 4096;
const sourceText = (name) => apply(NativeMap.prototype.get, sources, [name]);

/** Puts what a REPL has into the global scope: `require` from the current directory, the built-in modules, `meta`. */
function prepareGlobals() {
  const { createRequire } = require('module');
  const make = () => createRequire(`${process.cwd()}/`);
  lazy('require', make);
  for (const name of builtinModules) {
    if (!includes(name, '/') && !startsWith(name, '_') && (name === 'crypto' || !has(globalThis, name))) lazy(name, () => require(name));
  }
  own(globalThis, 'meta', meta);
}

/** A global that is made when it is first used and may be assigned. */
function lazy(name, make) {
  defineProperty(globalThis, name, {
    __proto__: null, configurable: true, enumerable: false,
    get() { const value = make(); set(value); return value; },
    set,
  });
  function set(value) {
    defineProperty(globalThis, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false });
  }
}

/** Runs source; the value is that of the last expression. Names given as a body are global until the request is answered. */
function opEval({ code, name = '<js>' }, body, listed) {
  const names = body.length > 0 ? decode(body, listed) : {};
  mapSet(sources, name, code);
  if (mapSize(sources) > SOURCES_LIMIT) for (const first of sources.keys()) { sources.delete(first); break; }
  if (body.length > 2) running.restore = bindNames(names);
  return runSource(code, name);
}

const bound = new NativeMap(); // name -> { before: its descriptor, layers: [value of each run that binds it] }

/** Sets globals; returns a function that puts back what was there, or what another run has bound meanwhile. */
function bindNames(names) {
  const list = isMap(names) ? [] : keysOf(names);
  const mine = [];
  for (let at = 0; at < list.length; at++) {
    let slot = mapGet(bound, list[at]);
    if (slot === undefined) mapSet(bound, list[at], slot = { before: getOwnPropertyDescriptor(globalThis, list[at]), layers: [] });
    mine[at] = { value: names[list[at]] };
    push(slot.layers, mine[at]);
    own(globalThis, list[at], mine[at].value);
  }
  return () => { for (let at = 0; at < list.length; at++) unbind(list[at], mine[at]); };
}

function unbind(name, layer) {
  const slot = mapGet(bound, name);
  const last = slot.layers[slot.layers.length - 1];
  const rest = [];
  for (let at = 0; at < slot.layers.length; at++) if (slot.layers[at] !== layer) push(rest, slot.layers[at]);
  slot.layers = rest;
  if (rest.length > 0) { if (last === layer) own(globalThis, name, rest[rest.length - 1].value); return; }
  mapDelete(bound, name);
  if (slot.before === undefined) delete globalThis[name]; else defineProperty(globalThis, name, slot.before);
}

// Node would write the line of an error in front of its stack.
const quietly = { __proto__: null, displayErrors: false };
const importOption = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ?? importFromDirectory;

/** `import()` as from a file in the current directory, for Node before 20.10. */
function importFromDirectory(specifier) {
  const { pathToFileURL } = require('url');
  if (/^\.{0,2}\//.test(specifier)) return import(pathToFileURL(require('path').resolve(specifier)).href);
  const found = require('module').createRequire(`${process.cwd()}/`).resolve(specifier);
  return import(found.startsWith('/') ? pathToFileURL(found).href : specifier);
}

function runSource(code, name) {
  const script = compile(code, name);
  return script === undefined ? runAwaiting(code, name) : script.runInThisContext(quietly);
}

/** The compiled script; undefined when it needs top-level await. Text that starts with { is first tried as an object. */
function compile(code, name) {
  const options = { filename: name, importModuleDynamically: importOption };
  if (test(/^\s*\{/, code) !== null && test(/;\s*$/, code) === null) {
    try { return new vm.Script(`(${trim(code)}\n)`, options); } catch { /* a block, then */ }
  }
  try {
    const script = new vm.Script(code, options);
    // `await (x)` outside async code compiles as the call of a function named await.
    return test(/(^|[^.\w$])await\s*[(\[]/, code) !== null && !has(globalThis, 'await') ? undefined : script;
  } catch (error) {
    if (test(/\bawait\b/, code) !== null) return undefined;
    throw error;
  }
}

/** Node's own REPL rewrites top-level await so that const and let stay; loaded only by who needs it. */
function runAwaiting(code, name) {
  server ??= makeServer();
  // What is thrown while it awaits the REPL tells its domain, and never calls back.
  const domain = server._domain;
  return new Promise((resolve, reject) => {
    domain?.removeAllListeners('error');
    domain?.once('error', reject);
    server.eval(`${code}\n`, globalThis, name, (error, value) => (error === null || error === undefined ? resolve(value) : reject(error)));
  }).finally(() => domain?.removeAllListeners('error'));
}

let server;

function makeServer() {
  const { PassThrough } = require('stream');
  const descriptors = keep(['require', 'module', '_', '_error']);
  const listeners = process.listeners('newListener');
  const made = new (require('repl').REPLServer)({
    input: new PassThrough(), output: new PassThrough(), useGlobal: true, terminal: false, prompt: '', ignoreUndefined: true,
  });
  // The REPL forbids user code to listen for uncaught exceptions; this is not that REPL.
  for (const listener of process.listeners('newListener')) {
    if (!listeners.includes(listener)) process.removeListener('newListener', listener);
  }
  descriptors();
  return made;
}

/** Remembers globals; returns a function that puts them back. */
function keep(names) {
  const before = names.map((name) => getOwnPropertyDescriptor(globalThis, name));
  return () => names.forEach((name, at) => {
    delete globalThis[name];
    if (before[at] !== undefined) defineProperty(globalThis, name, before[at]);
  });
}

function opCall(request, body, listed) {
  const [values, keywords] = body.length > 0 ? decode(body, listed) : [[], {}];
  const { owner, value } = subjectOf(request);
  if (typeof value !== 'function') throw new Failure('runtime/raised', `${nameOf(request)} is not a function but ${typeName(value)}`, undefined, 'TypeError');
  const options = isMap(keywords) ? mapSize(keywords) : keysOf(keywords).length;
  const isClass = startsWithClass(value);
  const call = (given) => (isClass ? Reflect.construct(value, given) : apply(value, owner, given));
  if (request.each === true) return callEach(request, options > 0 ? (item) => call([item, keywords]) : (item) => call([item]), values);
  if (options > 0) push(values, keywords);
  return call(values);
}

/** The results of a call with each item; where one fails, `index` in the request says which. */
function callEach(request, call, items) {
  const results = [];
  let isLater = false;
  for (let at = 0; at < items.length; at++) {
    try { push(results, call(items[at])); } catch (error) { request.index = at; throw error; }
    if (!isPromise(results[at])) continue;
    isLater = true;
    promiseThen(results[at], () => {}, () => {}); // one that fails before its turn is no rejection that nobody handles
  }
  return isLater ? awaitEach(request, results) : results;
}

async function awaitEach(request, results) {
  for (let at = 0; at < results.length; at++) {
    try { results[at] = await results[at]; } catch (error) { request.index = at; throw error; }
  }
  return results;
}

/** What a request is about, and its owner (`this` of a call): by a path from the globals, or by a ref and a path from there. */
function subjectOf({ ref, path }) {
  if (ref === undefined) return resolvePath(path);
  const { value, receiver } = targetEntry(ref);
  return path === undefined ? { owner: receiver, value } : follow(value, undefined, path, 0);
}

const nameOf = ({ path, ref }) => (path === undefined ? `the value ${ref}` : join(path, '.'));

/** A class cannot be called; what a call means is then `new`. */
const startsWithClass = (value) => {
  const text = apply(Function.prototype.toString, value, []);
  return startsWith(text, 'class') && test(/^class\b/, text) !== null;
};

/** The value at a path; with `item` that item of it: a Map's entry, otherwise a property. */
function opGet(request, body, listed) {
  if (request.item !== true) {
    const { value, owner } = subjectOf(request);
    return request.copy === true ? value : asMember(value, owner);
  }
  const key = decode(body, listed);
  const { value } = subjectOf(request);
  return isMap(value) ? mapGet(value, key) : value[key];
}

function opSet(request, body, listed) {
  const value = decode(body, listed);
  if (request.item === true) return setItem(subjectOf(request).value, value);
  const { path, ref } = request;
  const name = path[path.length - 1];
  if (path.length > 1 || ref !== undefined) {
    const owner = path.length === 1 ? targetOf(ref) : subjectOf({ ref, path: path.slice(0, -1) }).value;
    owner[name] = value;
    return null;
  }
  if (!has(globalThis, name) && isLexical(name)) {
    own(globalThis, HAND_OVER, value);
    try { vm.runInThisContext(`${name} = globalThis[${stringifyJSON(HAND_OVER)}]; undefined`); } finally { delete globalThis[HAND_OVER]; }
  } else globalThis[name] = value;
  return null;
}

function setItem(owner, pair) {
  if (!isArray(pair) || pair.length !== 2) throw new Failure('wire/unreadable', 'the body of an item is [key, value]');
  if (isMap(owner)) mapSet(owner, pair[0], pair[1]); else owner[pair[0]] = pair[1];
  return null;
}

/** Some items and, when there may be more, the iteration that has them. */
class Items {
  #brand;

  constructor(items, rest) { this.items = items; this.rest = rest; }

  static is(value) { return typeof value === 'object' && value !== null && #brand in value; }
}

/** An iteration under way; meta asks it for more by its ref. */
class Iteration {
  constructor(iterator, later) { this.iterator = iterator; this.next = iterator.next; this.later = later; weakSet(iterations, this, true); }
}

/** The next items of an iterable, at most `count`. */
function opItems({ ref, count = 1000 }) {
  const target = targetOf(ref);
  if (!isCount(count)) throw new Failure('runtime/raised', `count is an integer from 1, got ${describeValue(count)}`, undefined, 'RangeError');
  const iteration = typeof target === 'object' && target !== null && weakHas(iterations, target) ? target : iterationOf(target);
  return iteration.later ? takeLater(iteration, count) : take(iteration, count);
}

function iterationOf(target) {
  if (target !== null && target !== undefined) {
    if (typeof target[ITERATOR] === 'function') return new Iteration(target[ITERATOR](), false);
    if (typeof target[ASYNC_ITERATOR] === 'function') return new Iteration(target[ASYNC_ITERATOR](), true);
  }
  throw new TypeError(`${typeName(target)} is not iterable`);
}

function take(iteration, count) {
  const items = [];
  try {
    while (items.length < count) {
      const step = checkStep(apply(iteration.next, iteration.iterator, []));
      if (step.done) return new Items(items, null);
      push(items, step.value);
    }
  } catch (error) {
    return broken(items, error);
  }
  return new Items(items, iteration);
}

async function takeLater(iteration, count) {
  const items = [];
  try {
    while (items.length < count) {
      const step = checkStep(await apply(iteration.next, iteration.iterator, []));
      if (step.done) return new Items(items, null);
      push(items, step.value);
    }
  } catch (error) {
    return broken(items, error);
  }
  return new Items(items, iteration);
}

/** What came before the error is not lost: what is left of the iteration is its error. */
function broken(items, error) {
  if (items.length === 0) throw error;
  return new Items(items, new Iteration({ next() { throw error; } }, false));
}

function checkStep(step) {
  if (typeof step !== 'object' || step === null) throw new TypeError(`an iterator gave ${describeValue(step)} instead of an object`);
  return step;
}

/** What is known of a value, for whoever holds its handle. */
function opInspect({ ref }) {
  const value = targetOf(ref);
  let members = [];
  try { members = value === null || value === undefined ? [] : membersOfOwn(value); } catch { /* a Proxy that lies */ }
  return {
    type: clean(typeName(value)), repr: clean(reprOf(value)), callable: typeof value === 'function',
    length: lengthOf(value), members, doc: null,
  };
}

/** The names of what a value has, its class's included, but not what every object has. */
function membersOfOwn(value) {
  const names = new NativeSet();
  for (let at = Object(value); at !== null && at !== objectPrototype && at !== Function.prototype && setSize(names) < 10000; at = getPrototypeOf(at)) {
    const found = getOwnPropertyNames(at);
    for (let n = 0; n < found.length; n++) if (found[n] !== 'constructor' && isText(found[n])) setAdd(names, found[n]);
  }
  return [...names];
}

function lengthOf(value) {
  if (isProxy(value)) return null;
  if (isMap(value)) return mapSize(value);
  if (isSet(value)) return setSize(value);
  const length = typeof value === 'string' || isArray(value) || isTypedArray(value) ? value.length : null;
  return isSafeInteger(length) ? length : null;
}

function opEqual({ ref }, body, listed) {
  const other = decode(body, listed);
  const value = targetOf(ref);
  return value === other || is(value, other);
}

/** Ends a request that waits for a promise. */
function opCancel({ id }) {
  const request = mapGet(waiting, typeof id === 'number' ? id : stringifyJSON(id));
  if (request !== undefined) interrupt(request);
}

const HAND_OVER = '__meta_value';

function opImport(request) {
  const path = join(request.path, '/');
  const name = request.as ?? request.path[request.path.length - 1].replace(/[^\w$]/g, '_');
  const keepIt = (value) => { own(globalThis, name, value); return null; };
  try { return keepIt(globalThis.require(path)); } catch (error) {
    if (error?.code === 'ERR_REQUIRE_ESM') return importFromDirectory(path).then(keepIt);
    throw error;
  }
}

const isName = (text) => typeof text === 'string' && test(/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u, text) !== null;

/** Whether a const, let or class of the global scope has this name; those are no properties of the global object. */
function isLexical(name) {
  if (!isName(name)) return false;
  try { return vm.runInThisContext(`typeof ${name}`) !== 'undefined'; } catch { return true; }
}

/** The object at a path and its owner (`this` of a call): the user's globals, then modules. A found root is final. */
function resolvePath(path) {
  if (!isArray(path) || path.length === 0) throw new Failure('runtime/missing', 'a path needs at least one name');
  return follow(resolveRoot(path[0]), undefined, path, 1);
}

/** Goes from a value along the names of a path from `start` on. */
function follow(value, owner, path, start) {
  if (!isArray(path)) throw new Failure('runtime/missing', 'a path is a vector of names');
  for (let at = start; at < path.length; at++) {
    if (value === null || value === undefined || !(path[at] in Object(value))) {
      throw new Failure('runtime/missing', `${at === 0 ? typeName(value) : join(path.slice(0, at), '.')} has no ${path[at]}${near(path[at], namesOf(value))}`);
    }
    owner = value;
    value = value[path[at]];
  }
  return { owner, value };
}

function resolveRoot(name) {
  if (name in globalThis) return globalThis[name];
  if (isLexical(name)) return vm.runInThisContext(name);
  try { return globalThis.require(name); } catch (error) {
    if (error?.code !== 'MODULE_NOT_FOUND' || !includes(`${error.message}`, `'${name}'`)) throw error;
  }
  throw new Failure('runtime/missing', `no name or module ${name}${near(name, [...getOwnPropertyNames(globalThis), ...builtinModules])}`);
}

function namesOf(value) {
  const names = [];
  for (let at = value ?? null; at !== null && names.length < 1000; at = getPrototypeOf(Object(at))) names.push(...getOwnPropertyNames(Object(at)));
  return names;
}

/** `, near: a, b` for names that a typing error away. */
function near(name, known) {
  const close = known.filter((other) => Math.abs(other.length - name.length) < 3 && distance(name, other) <= (name.length > 3 ? 2 : 1));
  close.sort((a, b) => distance(name, a) - distance(name, b));
  return close.length > 0 ? `, near: ${[...new NativeSet(close)].slice(0, 3).join(', ')}` : '';
}

/** The count of single-character changes from one word to another. */
function distance(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1));
    row = next;
  }
  return row[to.length];
}

function opComplete(request) {
  const text = [...request.code].slice(0, request.cursor).join('');
  const found = /[\p{ID_Continue}$.]*$/u.exec(text)[0];
  const words = found.split('.');
  const word = words.pop();
  const names = words.length > 0 ? namesOf(resolvePath(words).value) : [...getOwnPropertyNames(globalThis), ...KEYWORDS];
  const matches = [...new NativeSet(names.filter((name) => name.startsWith(word) && isName(name.trim())))].sort();
  return { start: [...text].length - [...word].length, matches };
}

const KEYWORDS = 'async await break case catch class const continue delete do else export extends finally for function if import in instanceof let new return static switch throw try typeof var void while with yield'.split(' ').map((word) => `${word} `);

/** The record of an array with its contents. */
function opPublish({ ref, count }) {
  const value = targetOf(ref);
  const isBinary = isArrayBufferView(value) || isAnyArrayBuffer(value) || (buffers !== null && typeof value === 'object' && value !== null && buffers.isView(getPrototypeOf(value)));
  const isTable = tables !== null && typeof value === 'object' && value !== null && tables.isTable(getPrototypeOf(value));
  if (!isBinary && !isTable) throw new Failure('buffer/format', `${typeName(value)} is no array and no table`, undefined, 'TypeError');
  if (self.segments === null) throw new Failure('runtime/unsupported', 'this session was given no names of segments');
  return isTable && count !== undefined ? tables.headOf(value, count) : value;
}

function opStatus() {
  return { ...(buffers === null ? { segments: 0, bytes: 0 } : buffers.status()), busy: mapSize(waiting) > 0, waiting: mapSize(waiting), pid: process.pid, held: mapSize(held.byNumber), handles: mapSize(foreign.byKey) };
}

const operations = {
  eval: opEval, call: opCall, get: opGet, set: opSet, import: opImport, complete: opComplete, status: opStatus,
  items: opItems, inspect: opInspect, equal: opEqual, publish: opPublish,
};

/** What has no reply. */
const notices = { init: startSession, release: opRelease, cancel: opCancel };

function startSession({ directory, session, generation, segments, limit }) {
  if (typeof segments === 'string') self.segments = segments;
  self.limit = isCount(limit) ? limit : LARGEST;
  if (typeof session === 'string') self.session = session;
  if (isCount(generation)) self.generation = generation;
  try { if (typeof directory === 'string' && directory !== process.cwd()) process.chdir(directory); } catch { /* it may be gone */ }
}

const KERNEL_FILE = __filename;

let buffers = null;
let tables = null;

/** The text of a file beside this one. Node's own readFileSync is made of functions that user code may have changed. */
function readOwn(path) {
  const file = openSync(path, 'r');
  try {
    const data = allocUnsafe(fstatSync(file).size);
    let at = 0;
    for (let count = 1; at < data.length && count > 0; at += count) count = readSync(file, data, at, data.length - at, null);
    return utf8(data, 0, at);
  } finally { closeSync(file); }
}

/** What buffers.js does. */
const loadBuffers = () => (buffers ??= compileFunction(readOwn(BUFFERS_FILE), ['kernel', 'require'], { filename: BUFFERS_FILE })({
  natives, self, held, foreign, Failure, Tagged, asError, has, free, push, mapGet, mapSet, mapDelete, mapForEach, mapSize, setAdd, weakGet, weakSet,
  defineProperty, getPrototypeOf, isArray, isCount, isText, forget, retire, receive, keyOf, isAlive, entryOf, reprOf, typeName, clean, tripleField,
  takeReleases, describeValue, stringifyJSON, toText, bufferFrom, byteLength, decodeUTF8, isSafeInteger, slice, test, startsWith, join,
}, require));

/** What tables.js does. */
const loadTables = () => (tables ??= compileFunction(readOwn(TABLES_FILE), ['kernel', 'buffers'], { filename: TABLES_FILE })({
  natives, Failure, Tagged, asError, has, own, push, mapGet, mapSet, setAdd, mapForEach, weakGet, weakSet, getPrototypeOf, isArray, isText, receive, tripleField,
  entryOf, typeName, clean, describeValue, stringifyJSON, toText, bufferFrom, byteLength, decodeUTF8, isSafeInteger, test, slice, join, isDate, dateTime,
  ownerText: (number) => `,"owner":${stringifyJSON(self.session)},"generation":${self.generation},"ref":${number}`,
}, loadBuffers()));

// ----------------------------------------------------------------------------------------------------------- errors

const FRAMES_LIMIT = 100;
const origins = new WeakMap(); // a MetaError -> the proxy of the error object that it tells of
const travels = new WeakMap(); // an error of this kernel that came home -> the frames of its journey

/** The fields of an `err` for anything thrown. Nothing here may throw: getters and Proxies are user code. */
function describe(error, seen = new NativeSet()) {
  if (Failure.is(error)) {
    return { code: error.code, type: error.type ?? '', message: error.message, path: error.path, help: error.help, frames: [] };
  }
  const fields = { code: 'runtime/raised', type: typeName(error), language: 'js', message: describeValue(error), frames: [] };
  if (isProxy(error)) {
    if (!isHandle(error)) return { ...fields, message: 'a Proxy was thrown' };
    const { type, repr } = weakGet(proxies, error);
    return { ...fields, type, message: repr };
  }
  if (!isNativeError(error)) {
    try {
      if (typeof error === 'object' && error !== null) fields.message = inspect(error, inspectOptions);
      if (typeof error?.message === 'string') fields.message = error.message;
    } catch { /* a getter */ }
    return fields;
  }
  try { fields.message = `${error.message}`; } catch { fields.message = '<its message is unavailable: reading it threw>'; }
  fields.frames = framesOf(error);
  try { if (MetaError.is(error)) describeForeign(error, fields); } catch { /* a getter */ }
  fields.frames = middleOut(weakGet(travels, error) ?? fields.frames);
  try {
    const { cause } = error;
    if (cause !== undefined && setSize(seen) < 16 && !setHas(seen, cause)) fields.cause = describe(cause, setAdd(seen, error));
  } catch { /* a getter */ }
  return fields;
}

/** An error of another language keeps what it is; its own frames are inside this kernel's. */
function describeForeign(error, fields) {
  for (const name of ['code', 'type', 'language', 'path', 'lost', 'help']) if (typeof error[name] === 'string') fields[name] = error[name];
  const { frames } = error;
  if (isArray(frames)) for (let at = 0; at < frames.length; at++) push(fields.frames, plainFrame(frames[at]));
}

const plainFrame = (frame) => ({
  function: `${frame?.function ?? ''}`, source: `${frame?.source ?? ''}`, line: isSafeInteger(frame?.line) ? frame.line : 0, text: `${frame?.text ?? ''}`,
});

function middleOut(frames) {
  if (frames.length <= FRAMES_LIMIT) return frames;
  const kept = [];
  for (let at = 0; at < frames.length; at++) if (at < FRAMES_LIMIT / 2 || at >= frames.length - FRAMES_LIMIT / 2) push(kept, frames[at]);
  return kept;
}

/** The entry of the object that was thrown first; null for text and what the kernel itself refuses. */
function originOf(error) {
  if (Failure.is(error) || (typeof error !== 'object' && typeof error !== 'function') || error === null) return null;
  return entryOf(weakGet(origins, error) ?? error);
}

/** What an error holds besides what every error does, as a body; empty when there is nothing, or nothing that crosses. */
function dataOf(error, share) {
  encoded.refs = null;
  encoded.marks = '';
  if (typeof error !== 'object' || error === null || isProxy(error)) return '';
  try {
    if (Failure.is(error)) return '';
    if (MetaError.is(error)) return has(error, 'data') ? encode(error.data, undefined, share) : '';
    const data = {};
    const names = keysOf(error);
    for (let at = 0; at < names.length; at++) {
      if (names[at] !== 'message' && names[at] !== 'stack' && names[at] !== 'cause') own(data, names[at], error[names[at]]);
    }
    return keysOf(data).length > 0 ? encode(data, undefined, share) : '';
  } catch { encoded.refs = null; encoded.marks = ''; return ''; }
}

/** The error that an `err` of meta's tells of: an object of this kernel's that came home is itself (`outcome.home`). */
function errorFrom(header, body, listed, outcome) {
  let origin;
  if (isArray(header.ref)) {
    const [owner, generation, number] = header.ref;
    try {
      origin = receive(owner, generation, number, { type: header.type, repr: `${header.type}: ${header.message}`, callable: false }, listed);
      if (owner === self.session) { outcome.home = true; return origin; }
    } catch (error) { if (!Failure.is(error)) throw error; /* a stale one is told by its fields */ }
  }
  const error = foreignError(header);
  if (body.length > 0) own(error, 'data', decode(body, listed));
  if (origin !== undefined) weakSet(origins, error, origin);
  return error;
}

function foreignError(fields, depth = 0) {
  const made = { code: `${fields.code}`, type: `${fields.type ?? ''}`, frames: isArray(fields.frames) ? fields.frames : [] };
  for (const name of ['language', 'path', 'lost', 'help']) if (typeof fields[name] === 'string') made[name] = fields[name];
  if (typeof fields.cause === 'object' && fields.cause !== null && depth < 16) made.cause = foreignError(fields.cause, depth + 1);
  return new MetaError(`${fields.message ?? ''}`, made);
}

/** Remembers by which frames an own error came: those from here to the call, then those of the journey. */
function comeHome(error, journey) {
  if (typeof error !== 'object' || error === null) return;
  const frames = framesOf(withStack({}, upcall));
  if (isArray(journey)) for (let at = 0; at < journey.length; at++) push(frames, plainFrame(journey[at]));
  weakSet(travels, error, frames);
}

const { captureStackTrace } = Error;

/** Gives an object the stack of here, without what lies above `above`. */
function withStack(object, above) {
  const before = NativeError.stackTraceLimit;
  try {
    NativeError.stackTraceLimit = 64;
    captureStackTrace(object, above);
    void object.stack; // it is made when first read
    NativeError.stackTraceLimit = before;
  } catch { /* user code may have frozen Error, or have a function of its own for stacks */ }
  return object;
}

/** What user code may catch of a failure of the kernel's own. */
function asError(error) {
  if (!Failure.is(error)) return error;
  return new MetaError(error.message, { code: error.code, type: error.type ?? '', path: error.path, language: 'js' });
}

/** The user's own frames, outermost first, from an error's stack; getters on the error are user code. */
function framesOf(error) {
  let stack;
  try { stack = error.stack; } catch { return []; }
  if (typeof stack !== 'string') return [];
  const frames = [];
  const lines = split(stack, '\n');
  for (let at = 0; at < lines.length; at++) {
    const found = test(/^\s+at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/, lines[at]);
    if (found === null) continue;
    if (found[1] === 'serveRequest' && found[2] === KERNEL_FILE) break; // what lies outside belongs to other requests
    if (!isUsers(found[2])) continue;
    const name = found[1] === undefined ? '<script>' : functionName(found[1]);
    push(frames, { function: name, source: startsWith(found[2], 'file://') ? slice(found[2], 7) : found[2], line: +found[3], text: lineOf(found[2], +found[3]) });
  }
  for (let at = 0, end = frames.length - 1; at < end; at++, end--) [frames[at], frames[end]] = [frames[end], frames[at]];
  const syntax = typeName(error) === 'SyntaxError' ? test(/^(.+):(\d+)\n/, stack) : null;
  if (syntax !== null && sourceText(syntax[1]) !== undefined) {
    frames.push({ function: '<script>', source: syntax[1], line: +syntax[2], text: lineOf(syntax[1], +syntax[2]) });
  }
  return frames;
}

function functionName(text) {
  const name = startsWith(text, 'async ') ? slice(text, 6) : text;
  return name === '<anonymous>' || name === 'Object.<anonymous>' ? '<script>' : name;
}

function isUsers(source) {
  if (sourceText(source) !== undefined) return true;
  return source !== KERNEL_FILE && source !== BUFFERS_FILE && source !== TABLES_FILE && !startsWith(source, 'node:') && !includes(source, '/node_modules/')
    && !startsWith(source, '<') && !startsWith(source, 'evalmachine.') && (startsWith(source, '/') || startsWith(source, 'file://'));
}

function lineOf(source, line) {
  let text = sourceText(source);
  if (text === undefined) {
    try { text = fs.readFileSync(startsWith(source, 'file://') ? slice(source, 7) : source, 'utf8'); } catch { return ''; }
  }
  return trim(split(text, '\n')[line - 1] ?? '');
}

// ---------------------------------------------------------------------------------------------------------- upcalls

const upcalls = { count: 0, pending: new NativeMap(), later: 0 }; // `later`: how many of them wait for the event loop
const NOTHING = NativeSymbol('no body');

/**
 * Asks meta and waits: the value of the reply, or with `whole` all of it: { value, iterator }. `entry` is the object that
 * is asked, null for none; `fields` are more header fields as JSON text that starts with a comma. Throws the error that
 * comes back. Requests on behalf of this upcall are served meanwhile.
 */
function upcall(op, entry, fields = '', value = NOTHING, whole = false) {
  const pending = ask(op, entry, fields, value, false);
  wait(pending);
  const { outcome } = pending;
  if (!outcome.failed) return whole ? outcome : outcome.value;
  const error = asError(outcome.value);
  if (outcome.home) comeHome(error, outcome.journey); else withStack(error, upcall);
  throw error;
}

/** As `upcall`, but at once: a promise. */
function upcallLater(op, entry, fields = '', value = NOTHING, whole = false) {
  let pending;
  try { pending = ask(op, entry, fields, value, true); } catch (error) { return rejected(error); }
  upcalls.later++;
  if (!inBurst) readOnLoop(up);
  return new NativePromise((resolve, reject) => {
    pending.settle = ({ failed, value: result, ...rest }) => { if (failed) reject(asError(result)); else resolve(whole ? { value: result, ...rest } : result); };
  });
}

const rejected = (error) => new NativePromise((resolve, reject) => { reject(error); });

function ask(op, entry, fields, value, later) {
  const target = entry === null ? '' : `,"ref":${tripleOf(usable(entry))}`;
  let body = '';
  let refs = null;
  let marks = '';
  if (value !== NOTHING) {
    try { body = encode(value, undefined, 'publish'); } catch (error) { throw asError(error); }
    refs = encoded.refs;
    marks = encoded.marks;
  }
  const id = ++upcalls.count;
  const pending = { id, later, asked: false, outcome: null, settle: null };
  const frame = frameOf(`{"op":"${op}","id":${id}${servedField()}${later ? ',"async":true' : ''}${target}${fields}${marks}${refsField(refs)}}`, body);
  mapSet(upcalls.pending, id, pending);
  if (sendReleases(false) && !inBurst && channel.socket !== null) readOnLoop(channel);
  up.sent = 0;
  up.sending = sending.list;
  up.outgoing = frame;
  pending.asked = true; // from here on a teardown sends the frame
  complete(up);
  return pending;
}

/** Which request of meta's is being served: the one that runs, or the only one that waits for a promise. */
function servedField() {
  if (running !== null) return `,"for":${running.id}`;
  if (mapSize(waiting) !== 1) return '';
  let id;
  mapForEach(waiting, (request) => { ({ id } = request); });
  return `,"for":${id}`;
}

/**
 * Reads descriptor 4 until the reply is there. It does so armed on its own: SIGINT is meta's business here, which ends
 * the innermost call. So a teardown goes no further than this; it ends a nested request if one runs, and nothing else.
 */
function wait(pending) {
  const base = running;
  while (pending.outcome === null) {
    armedWork = () => pump(pending);
    try { runArmed(armedOptions); } catch (error) {
      if (error?.code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw error;
      torn = true;
      repair(base, pending.id);
    }
  }
  if (!inBurst && up.socket !== null) readOnLoop(up);
}

function pump(pending) {
  while (pending.outcome === null) {
    const end = frameEnd(up);
    if (end > 0) serveFrame(up, end);
    else if (!readBlocking(up)) process.exit(0);
  }
}

/** Ends the waits that a teardown has cut, those after the upcall `last`: their replies are still to come, and to be read. */
function abandon(last) {
  mapForEach(upcalls.pending, (pending, id) => {
    if (pending.later || id <= last) return;
    if (!pending.asked || pending.outcome !== null) { mapDelete(upcalls.pending, id); return; }
    pending.later = true;
    pending.settle = () => {};
    upcalls.later++;
  });
}

/** Takes the reply to an upcall, which ends at `end`. One that nobody waits for any more only gives back its refs. */
function settleUpcall(header, body, end) {
  const pending = mapGet(upcalls.pending, header.re);
  const outcome = { failed: header.op !== 'ret', value: undefined, iterator: null, home: false, journey: undefined };
  let listed = NONE_LISTED;
  try {
    listed = listRefs(header.refs);
    if (pending !== undefined && outcome.failed) {
      outcome.value = errorFrom(header, body, listed, outcome);
      outcome.journey = header.frames;
    } else if (pending !== undefined) {
      if (body.length > 0) outcome.value = decode(body, listed);
      if (header.more === true && isArray(header.iterator)) outcome.iterator = receive(...header.iterator, { type: 'iterator', repr: 'iterator' }, listed);
    }
  } catch (error) { outcome.failed = true; outcome.value = error; }
  if (pending !== undefined) pending.outcome = outcome;
  up.received = listed;
  up.used = end; // a teardown before this reads the frame again
  complete(up);
  if (pending === undefined) return;
  mapDelete(upcalls.pending, header.re);
  if (!pending.later) return;
  upcalls.later--;
  pending.settle(outcome);
}

/** Whether user code waits for the upcall that a nested request belongs to. */
function isAwaited(id) {
  const pending = mapGet(upcalls.pending, id);
  return pending !== undefined && !pending.later;
}

const namedPath = (path) => {
  const names = isArray(path) ? path : split(`${path}`, '.');
  return `,"path":${stringifyJSON(clean([...names]))}`;
};
const languageField = (language, code) => `,"language":${stringifyJSON(clean(`${language}`))},"code":${stringifyJSON(clean(`${code}`))}`;
const evalBody = (names) => (names === undefined ? NOTHING : names);

/** `meta.call('py.math.sqrt', 2)`: calls by name what another language has, or a function of meta's. */
meta.call = (path, ...values) => upcall('call', null, namedPath(path), argumentsOf(values));
/** The same, at once: a promise. */
meta.call.async = (path, ...values) => upcallLater('call', null, namedPath(path), argumentsOf(values));
/** `meta.eval('py', 'x + 1', {x: 1})`: runs source of another language, with values bound to names for that run. */
meta.eval = (language, code, names) => upcall('eval', null, languageField(language, code), evalBody(names));
meta.eval.async = (language, code, names) => upcallLater('eval', null, languageField(language, code), evalBody(names));
/** `f(1, meta.keywords({reverse: true}))`: keywords for a function of another language, as the last argument. */
meta.keywords = (fields) => new Keywords(fields);
/** Makes a value cross as a handle although it could be copied. */
meta.ref = (value) => (isHandle(value) ? value : new Held(value));
/** The content of a handle, copied whole; any other value is itself. */
meta.fetch = (value) => (isHandle(value) ? upcall('get', weakGet(proxies, value), ',"copy":true') : value);
meta.fetch.async = (value) => (isHandle(value) ? upcallLater('get', weakGet(proxies, value), ',"copy":true') : NativePromise.resolve(value));
/** The item of a handle by any key: `meta.item(dict, 3)`. */
meta.item = (handle, key) => upcall('get', foreignEntry(handle), ITEM, key);
meta.setItem = (handle, key, value) => { upcall('set', foreignEntry(handle), ITEM, [key, value]); };
/** Whether two values are equal by the language that owns the first. */
meta.equal = (one, other) => (isHandle(one) ? upcall('equal', weakGet(proxies, one), '', other) : isHandle(other) ? meta.equal(other, one) : is(one, other) || one === other);
/** Gives a handle back now rather than when it is collected. */
meta.release = (handle) => {
  const entry = foreignEntry(handle);
  retire(entry);
  entry.released = true;
};

/** `meta.empty([3, 4], 'float32')`: an array of zeros that crosses without a copy; with `{mutable: true}` all sessions write to one memory. */
meta.empty = (...values) => loadBuffers().empty(...values);
/** `meta.array([[1, 2], [3, 4]], 'int32')`: the same with items, from arrays or another array. */
meta.array = (...values) => loadBuffers().array(...values);
/** The items of a typed array, in such an array. */
meta.share = (...values) => loadBuffers().share(...values);
/** `meta.table({n: new Float64Array(3), name: ['a', 'b', null]})`, or of an array of records: named columns that cross as they are. */
meta.table = (...values) => loadTables().table(...values);
for (const name of ['Table', 'Column']) defineProperty(meta, name, { __proto__: null, get: () => loadTables()[name], enumerable: true, configurable: true });
/** How this session has segments: `map` or `copy`. */
meta.buffers = () => loadBuffers().ability();
defineProperty(meta, 'View', { __proto__: null, get: () => loadBuffers().View, enumerable: true, configurable: true });

function foreignEntry(handle) {
  if (!isHandle(handle)) throw new TypeError(`not a handle of another language: ${describeValue(handle)}`);
  return weakGet(proxies, handle);
}

// ------------------------------------------------------------------------------------------------------------- loop

// The kernel reads with blocking calls while nothing else is alive on the event loop: that is several times faster
// than the loop. When timers, sockets or children live, or a request waits for a promise, the loop turns.
//
// `breakOnSigint` stops a busy loop by tearing down every JavaScript frame up to the script that was started with it.
// Arming costs 50 µs, so one arming serves a burst of requests: `burst` runs inside it and may be torn down at any
// point. A teardown strikes at calls and at the turns of loops, never between a native call's return and the storing
// of its result: so what was read and written is always counted. The rest of a burst's state is in `channel`, `up`,
// `running` and `waiting`, and is made whole again by `repair`.

const CHUNK = 65536;
const READ_LIMIT = 1 << 30; // bytes in one call
/**
 * A socket to meta: the bytes from `used` to `filled` are read and not yet served, `skip` more are to be dropped; of the
 * frame `outgoing` the first `sent` bytes are written; of the own entries `sending` that it lists `counted` are counted. `ending` is
 * the request that it answers, `received` what a frame listed, `given` what one gave back: what `complete` has still to do. The descriptors stay where they are: Node cannot move one, and has
 * made 3 and 4 close-on-exec at its start.
 */
const makeChannel = (descriptor) => ({
  descriptor, data: bufferAlloc(0), used: 0, filled: 0, skip: 0, outgoing: null, sent: 0, socket: null, sending: NO_ENTRIES, counted: 0, ending: null,
  received: NONE_LISTED, given: NO_ENTRIES, taken: 0,
});
const channel = makeChannel(3); // meta's requests, and the replies
const up = makeChannel(4); // this kernel's requests, their replies, and what meta asks on their behalf
let running = null; // the request whose code runs on this stack: { id, header, channel, outer, started, restore, … }
const waiting = new NativeMap(); // id -> a request that waits for a promise
const settled = { list: [], next: 0 }; // those whose promise has ended, not yet answered
let inBurst = false;
const { rawRead, rawWrite } = rawCalls();

/** read(2) and write(2) as Node binds them, since `fs.writeSync` does more after the call, where a teardown may strike. */
function rawCalls() {
  try {
    const { read, writeBuffer } = process.binding('fs');
    // The call comes right before the test of its outcome: nothing strikes between the two.
    const old = (call) => (descriptor, data, at, length) => {
      const failure = { errno: undefined };
      const count = call(descriptor, data, at, length, -1, undefined, failure);
      if (failure.errno !== undefined) throw { code: getSystemErrorName(failure.errno) };
      return count;
    };
    const fresh = (call) => (descriptor, data, at, length) => call(descriptor, data, at, length, -1);
    const shape = (made, name, call) => { // as this Node itself calls it
      const text = apply(Function.prototype.toString, made, []);
      if (includes(text, `${name}(fd, buffer, offset, length, position)`)) return fresh(call);
      return includes(text, `${name}(fd, buffer, offset, length, position,`) && includes(text, 'undefined, ctx)') ? old(call) : null;
    };
    const found = { rawRead: shape(readSync, 'read', read), rawWrite: shape(writeSync, 'writeBuffer', writeBuffer) };
    if (found.rawRead !== null && found.rawWrite !== null) return found;
  } catch { /* a Node without them */ }
  return { rawRead: readSync, rawWrite: writeSync };
}

const HEX = '0123456789abcdef';
function hex(number) {
  let text = '';
  for (let shift = 28; shift >= 0; shift -= 4) text += HEX[(number >>> shift) & 15];
  return text;
}

function frameOf(header, body) {
  const head = byteLength(header);
  const size = body === '' ? 0 : byteLength(body);
  const frame = allocUnsafe(16 + head + size);
  putText(frame, hex(head) + hex(size) + header, 0, 'utf8');
  if (size > 0) putText(frame, body, 16 + head, 'utf8');
  return frame;
}

/** Writes a frame; the other end reads always, so this waits. */
function emit(to, frame) {
  to.sent = 0;
  to.outgoing = frame;
  flush(to);
}

function flush(to) {
  const frame = to.outgoing;
  if (frame === null) return;
  while (to.sent < frame.length) {
    try {
      to.sent += rawWrite(to.descriptor, frame, to.sent, frame.length - to.sent);
    } catch (error) {
      if (error.code !== 'EAGAIN' && error.code !== 'EINTR') gone(error);
      to.socket?._handle?.setBlocking(true);
    }
  }
  to.outgoing = null;
}

/** Ends the process when meta has gone; what is no error of the system's goes on. */
function gone(error) {
  if (typeof error.code !== 'string' || error.code[0] !== 'E' || startsWith(error.code, 'ERR_')) throw error;
  process.exit(0);
}

/** Sends the reply to a request and ends it. */
function send(request, header, body) {
  const frame = frameOf(header, body);
  sendReleases(false);
  const to = request === null ? channel : request.channel;
  to.sent = 0;
  to.sending = sending.list;
  to.ending = request;
  to.outgoing = frame;
  if (request !== null) request.answered = true; // from here on a teardown sends the frame
  complete(to);
}

/** Does what is left to do when a frame goes out or has been read; a teardown may have cut it. */
function complete(to) {
  while (to.counted < to.sending.length) { to.sending[to.counted].sent++; to.counted++; }
  to.sending = NO_ENTRIES; to.counted = 0;
  if (to.ending !== null) { end(to.ending); to.ending = null; }
  takeAllGiven(to);
  if (to.received !== NONE_LISTED) { countReceived(to.received); to.received = NONE_LISTED; }
  flush(to);
}

function takeAllGiven(from) {
  while (from.taken < from.given.length) takeGiven(from);
  from.given = NO_ENTRIES; from.taken = 0;
}

function end(request) {
  mapDelete(waiting, request.id);
  if (running === request) running = request.outer;
  countReceived(request.listed);
  const { restore } = request;
  request.restore = null;
  if (restore !== null) restore();
}

/** Sends an `err`; `origin` is the entry of the error object or null, `body` its data with the handles `refs`. */
function sendError(request, fields, origin = null, body = '', refs = null, marks = '') {
  const id = request === null ? null : request.id;
  const header = { __proto__: objectPrototype, op: 'err', re: null };
  for (const name of keysOf(fields)) if (fields[name] !== undefined) own(header, name, fields[name]);
  let text;
  try { text = encode(clean(header)); } catch { text = ''; }
  if (text === '' || byteLength(text) > HEADER_LIMIT / 2) {
    text = `{"op":"err","re":null,"code":"${fields.code}","type":"","message":${stringifyJSON(slice(clean(`${fields.message}`), 0, 2000))},"frames":[]}`;
  }
  text = `{"op":"err","re":${id}${slice(text, 21, text.length - 1)}`; // `{"op":"err","re":null` has 21 characters
  if (origin !== null) { refs = joinRefs(setAdd(new NativeSet(), origin), refs); text += `,"ref":${tripleOf(origin)}`; }
  send(request, `${text}${marks}${refsField(refs)}}`, body);
}

/** Text of the user's may hold half characters, which a header cannot: they are replaced. */
function clean(value) {
  if (typeof value === 'string') return isText(value) ? value : toText(bufferFrom(value), 'utf8');
  if (isArray(value)) { for (let at = 0; at < value.length; at++) value[at] = clean(value[at]); return value; }
  if (typeof value === 'object' && value !== null) for (const name of keysOf(value)) if (value[name] !== undefined) own(value, name, clean(value[name])); else delete value[name];
  return value;
}

/** Where the next whole frame ends in a channel's data; 0 when it is not there yet; makes room for it. */
function frameEnd(from) {
  if (from.skip > 0) {
    const count = from.filled - from.used < from.skip ? from.filled - from.used : from.skip;
    from.used += count;
    from.skip -= count;
    if (from.skip > 0) return 0;
  }
  const { data, used, filled } = from;
  if (filled - used < 16) { if (data.length - used < 16) makeRoom(from, CHUNK); return 0; }
  const prefix = latin1(data, used, used + 16);
  if (test(/^[0-9a-fA-F]{16}$/, prefix) === null) {
    sendError(null, { code: 'wire/unreadable', message: `a frame starts with 16 hexadecimal digits, got ${stringifyJSON(prefix)}` });
    process.reallyExit(1); // nobody can say where the next frame starts
  }
  const head = parseInt(slice(prefix, 0, 8), 16);
  const body = parseInt(slice(prefix, 8), 16);
  if (head > HEADER_LIMIT || body > BODY_LIMIT) return refuseLarge(from, head, body);
  const size = 16 + head + body;
  if (filled - used >= size) return used + size;
  if (data.length - used < size) makeRoom(from, size);
  return 0;
}

/** Answers a frame that is too large to be held, by its header, and drops the rest as it comes. */
function refuseLarge(from, head, body) {
  let header = null;
  const readable = head <= HEADER_LIMIT;
  if (readable) {
    const there = 16 + head;
    if (from.filled - from.used < there) { if (from.data.length - from.used < there) makeRoom(from, there); return 0; }
    try { header = parseJSON(utf8(from.data, from.used + 16, from.used + there)); } catch { /* it has no id */ }
  }
  from.skip = 16 + head + body;
  const failure = readable ? new Failure('value/too-large', `a body has at most ${BODY_LIMIT} bytes here, got ${body}`)
    : new Failure('wire/unreadable', `a header has at most ${HEADER_LIMIT} bytes, got ${head}`);
  if (header?.re !== undefined && from === up) settleUpcall({ op: 'err', re: header.re, ...describe(failure) }, '', from.used);
  else sendError(header === null || !has(header, 'id') ? null : makeRequest(from, header), describe(failure));
  return frameEnd(from);
}

/** Moves what is unread to the start of a buffer that holds `size` bytes. */
function makeRoom(of, size) {
  const { data, used, filled } = of;
  const next = allocUnsafe(size < CHUNK ? CHUNK : size);
  copyInto(data, next, 0, used, filled);
  of.data = next;
  of.filled = filled - used;
  of.used = 0;
}

/** Waits for bytes; false at the end of the stream. */
function readBlocking(from) {
  if (from.used === from.filled && from.filled > 0) {
    if (from.data.length > CHUNK) from.data = bufferAlloc(CHUNK);
    from.used = from.filled = 0;
  }
  if (from.filled === from.data.length) makeRoom(from, from.data.length * 2);
  const space = from.data.length - from.filled;
  const before = from.filled;
  try {
    from.filled += rawRead(from.descriptor, from.data, from.filled, space < READ_LIMIT ? space : READ_LIMIT);
  } catch (error) {
    if (error.code !== 'EAGAIN' && error.code !== 'EINTR') gone(error);
    from.socket?._handle?.setBlocking(true);
    return true;
  }
  return from.filled > before;
}

function makeRequest(from, header) {
  const id = typeof header.id === 'number' ? header.id : stringifyJSON(header.id);
  const request = {
    id, header, channel: from, outer: running, started: now(), restore: null, listed: NONE_LISTED, refused: null,
    answered: false, isSettled: false, failed: false, value: undefined,
  };
  try { request.listed = listRefs(header.refs); } catch (error) { request.refused = error; }
  return request;
}

/** A header as an object whose fields are only its own, whatever user code has done to all objects. */
function readHeader(text) {
  const header = parseJSON(text);
  return keysOf(objectPrototype).length === 0 ? header : setPrototype(header, null);
}

/** Serves the frame that ends at `end`. A value that is a promise makes its request wait, or a nested one fail. */
function serveFrame(from, end) {
  const { data, used } = from;
  const head = parseInt(latin1(data, used, used + 8), 16);
  const body = part(data, used + 16 + head, end);
  let header;
  try { header = readHeader(utf8(data, used + 16, used + 16 + head)); } catch { header = null; }
  if (typeof header !== 'object' || header === null || typeof header.op !== 'string' || !(has(header, 'id') || has(notices, header.op) || (from === up && has(header, 're')))) {
    from.used = end;
    return sendError(null, { code: 'wire/unreadable', message: `header is not a request of at most ${HEADER_LIMIT} bytes` });
  }
  if (has(notices, header.op)) {
    notices[header.op](header, from);
    from.used = end;
    return complete(from);
  }
  if (from === up && has(header, 're')) return settleUpcall(header, body, end);
  const request = makeRequest(from, header);
  from.used = end;
  running = request;
  return serveRequest(request, body);
}

function serveRequest(request, body) {
  const { header } = request;
  try {
    if (request.refused !== null) throw request.refused;
    if (!has(operations, header.op)) throw new Failure('runtime/unsupported', `this kernel has no operation ${header.op}`);
    if (header.in !== undefined && !isAwaited(header.in)) throw new Failure('runtime/interrupted', `the call ${header.in} has ended`);
    const value = operations[header.op](header, body, request.listed);
    if (isPromise(value)) awaitValue(request, value); else finish(request, value);
  } catch (error) { failWith(request, error); }
}

/** A request of meta's waits for its promise. A nested one cannot: who waits for it holds the stack that would settle it. */
function awaitValue(request, promise) {
  promiseThen(promise, (result) => settle(request, false, result), (error) => settle(request, true, error));
  if (request.channel === up) {
    drainJobs();
    return request.isSettled ? answer(request) : failWith(request, new WouldBlock());
  }
  mapSet(waiting, request.id, request);
  if (running === request) running = request.outer;
  return undefined;
}

class WouldBlock extends Failure {
  constructor() {
    super('runtime/would-block', 'a promise cannot settle while JavaScript waits for the call that asked for it', undefined, 'Promise');
    this.help = 'use f.async(…) for the outer call, and await it';
  }
}

function settle(request, failed, value) {
  if (request.answered) return; // it was interrupted
  request.isSettled = true;
  request.failed = failed;
  request.value = value;
  if (request.channel === up) return; // it is being looked at
  push(settled.list, request);
  if (!inBurst) setTurn();
}

function answer(request) {
  if (request.failed) failWith(request, request.value); else finish(request, request.value);
}

/** Answers requests whose promises have ended. */
function answerSettled() {
  while (settled.next < settled.list.length) {
    const request = settled.list[settled.next];
    if (request.answered) { settled.next++; continue; }
    settled.next++;
    running = request;
    answer(request);
  }
  settled.list = [];
  settled.next = 0;
}

const modeOf = (header) => (header.hold === true ? 'hold' : header.copy === true ? 'copy' : undefined);

function finish(request, value) {
  const elapsed = (now() - request.started) * 1000;
  let more = '';
  let refs;
  let body;
  try {
    if (Items.is(value)) {
      body = encode(value.items, undefined, shareOf(request.header));
      refs = encoded.refs;
      if (value.rest !== null) {
        const rest = entryOf(value.rest);
        refs = joinRefs(setAdd(new NativeSet(), rest), refs);
        more = `,"more":true,"iterator":${tripleOf(rest)}`;
      } else more = ',"more":false';
      value = value.items;
    } else {
      body = encode(value, modeOf(request.header), shareOf(request.header));
      refs = encoded.refs;
    }
    more += encoded.marks;
  } catch (error) { return failWith(request, error); }
  return send(request, `{"op":"ret","re":${request.id},"type":${typeField(value)},"elapsed":${elapsed.toFixed(1)}${more}${refsField(refs)}}`, body);
}

const typeField = (value) => stringifyJSON(Method.is(value) ? 'function' : isHandle(value) ? weakGet(proxies, value).type : clean(typeName(value)));

function failWith(request, error) {
  let fields;
  let origin = null;
  let body = '';
  try {
    fields = describe(error);
    body = dataOf(error, shareOf(request.header));
    origin = originOf(error);
  } catch { fields ??= { code: 'runtime/raised', type: 'Error', message: 'an error that cannot be described', frames: [] }; }
  if (request.header.index !== undefined) fields.index = request.header.index;
  sendError(request, fields, origin, body, body === '' ? null : encoded.refs, body === '' ? '' : encoded.marks);
}

const INTERRUPTED = { code: 'runtime/interrupted', type: 'Interrupted', message: 'interrupted', frames: [] };
const interrupt = (request) => sendError(request, { ...INTERRUPTED });
const interruptWaiting = () => mapForEach(waiting, (request) => { if (!request.isSettled) interrupt(request); });

/**
 * Ends what a teardown hit: the requests that ran inside `base`, or without any those that wait for promises; and the
 * waits for upcalls after the upcall `last`.
 */
function repair(base, last) {
  complete(channel);
  complete(up);
  mustRecover = true;
  abandon(last);
  if (running === null && base === null) interruptWaiting();
  while (running !== base && running !== null) {
    const request = running;
    if (!request.answered) interrupt(request); // a second signal may cut this too, and it is then done again
    if (running === request) running = request.outer;
  }
}

/** Serves requests until the event loop has to turn. Returns why: `loop`, `breathe` (once round) or `end`. */
function burst() {
  inBurst = true;
  let reason;
  drainJobs(); // what a teardown left behind may be a busy loop too
  for (;;) {
    if (settled.list.length > 0) answerSettled();
    const reply = up.filled > up.used ? frameEnd(up) : 0;
    if (reply > 0) { serveFrame(up, reply); drainJobs(); continue; }
    const end = frameEnd(channel);
    if (end > 0) {
      serveFrame(channel, end);
      drainJobs();
      continue;
    }
    if (settled.list.length > 0) continue;
    if (mustRecover && running === null) { writing.current = null; dropUnsent(); buffers?.recover(); mustRecover = false; }
    if (buffers !== null) tidy();
    if (releases.list.length > 0) sendReleases(now() - releases.since > RELEASE_DELAY);
    if (upcalls.later > 0 || mapSize(waiting) > 0 || isLoopAlive()) { reason = 'loop'; break; }
    if (foreign.breathe) { foreign.breathe = false; reason = 'breathe'; break; }
    if (!readBlocking(channel)) { reason = 'end'; break; }
  }
  inBurst = false;
  return reason;
}

/**
 * Serves the `release` frames that wait, up to the first other one, while user code runs: so what it publishes in a loop does not pile up. A
 * request before them stops that, since it may be about what they give back. `isReady` says whether a read would not block.
 */
function takeReleases(isReady) {
  for (;;) {
    const { end, given } = nextRelease(channel);
    if (end > 0) { channel.given = given; channel.used = end; takeAllGiven(channel); continue; } // a teardown comes before both or after
    if (end < 0 || !isReady(channel.descriptor)) return;
    makeRoom(channel, channel.filled - channel.used + CHUNK); // who runs may still have a part of what was there
    if (!readBlocking(channel)) return;
  }
}

/** What comes next: where it ends if it is a release, and what that gives back; 0 when it is not there yet, -1 when it is something else. */
function nextRelease({ data, used, filled, skip }) {
  if (skip > 0) return NO_RELEASE;
  if (filled - used < 16) return NOT_THERE;
  const prefix = latin1(data, used, used + 16);
  const head = parseInt(slice(prefix, 0, 8), 16);
  if (test(/^[0-9a-fA-F]{8}0{8}$/, prefix) === null || head > HEADER_LIMIT) return NO_RELEASE;
  const end = used + 16 + head;
  if (filled < end) return NOT_THERE;
  try {
    const { op, id, refs } = readHeader(utf8(data, used + 16, end));
    return op === 'release' && id === undefined && isArray(refs) ? { end, given: refs } : NO_RELEASE;
  } catch { return NO_RELEASE; }
}

const NOT_THERE = { end: 0, given: NO_ENTRIES };
const NO_RELEASE = { end: -1, given: NO_ENTRIES };

const RELEASE_DELAY = 100; // milliseconds
let mustRecover = false; // a teardown may have left handles and segments half made

/** Looks after segments while no request runs. */
function tidy() {
  buffers.settle();
  buffers.look(now());
}
const tick = process._tickCallback.bind(process);

/** Runs what `then` and `nextTick` have queued, rejections included, as the event loop would between two requests. */
function drainJobs() {
  try { tick(); } catch (error) { process.emit('uncaughtException', error, 'uncaughtException'); }
}

const activeResources = process.getActiveResourcesInfo?.bind(process);
const activeHandles = process._getActiveHandles?.bind(process);

/** Whether timers, sockets, children… of the user's wait for the event loop; the standard streams do not count. */
function isLoopAlive() {
  if (activeResources === undefined) return true;
  const names = activeResources();
  let pipes = 0;
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (name === 'PipeWrap' || name === 'TTYWrap') pipes++;
    else if (name !== 'CloseReq') return true;
  }
  if (pipes === 0) return false;
  const handles = activeHandles();
  for (let at = 0; at < handles.length; at++) {
    const handle = handles[at];
    if (handle !== channel.socket && handle !== up.socket && !(handle.fd <= 2 && handle.fd >= 0) && handle !== process.stdin) return true;
  }
  return false;
}

const HIDDEN = '__meta_burst';
let armedWork = null; // what the armed script runs; a script reaches it by a constant of the global scope alone
own(globalThis, HIDDEN, () => { const work = armedWork; armedWork = null; return work?.(); });
new vm.Script(`const ${HIDDEN} = (() => { const run = globalThis.${HIDDEN}; delete globalThis.${HIDDEN}; return run })()`, { filename: KERNEL_FILE }).runInThisContext();
const armed = new vm.Script(`${HIDDEN}()`, { filename: KERNEL_FILE });
const runArmed = vm.Script.prototype.runInThisContext.bind(armed);
const armedOptions = { __proto__: null, breakOnSigint: true, displayErrors: false };

/**
 * Runs a function so that SIGINT tears it down; undefined when that happened. Armings nest: while one inside another is
 * being renewed the outer one catches the signal, which would otherwise end the process.
 */
function arm(work) {
  armedWork = work;
  try { return runArmed(armedOptions); } catch (error) {
    inBurst = false;
    repair(null, 0);
    torn = true;
    if (error?.code !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') process.emit('uncaughtException', error, 'uncaughtException');
    return undefined;
  }
}

/** Renews the inner arming after each teardown. */
function bursts() {
  for (;;) {
    const reason = arm(burst);
    if (reason !== undefined) return reason;
  }
}

/** One stay in the kernel: bursts until the event loop is needed. */
function turn() {
  turning = null;
  channel.socket?._handle?.setBlocking(true);
  up.socket?._handle?.setBlocking(true);
  for (;;) {
    const reason = arm(bursts);
    if (reason === undefined) continue;
    if (reason === 'end') process.exit(0);
    if (reason === 'breathe') setTurn();
    if (reason === 'loop' || channel.socket !== null) readOnLoop(channel);
    if (upcalls.later > 0 || up.socket !== null) readOnLoop(up);
    if (torn) unwind();
    return;
  }
}

let torn = false; // a teardown has happened since the loop turned
const UNWOUND = new NativeError('interrupted');

/**
 * Leaves the turn by an exception that nobody is told of. A teardown skips what Node does after each callback, and
 * Node aborts when its stack of asynchronous contexts is then not in order; an uncaught exception empties that stack.
 */
function unwind() {
  try {
    process.setUncaughtExceptionCaptureCallback(() => process.setUncaughtExceptionCaptureCallback(null));
  } catch { /* not once a domain is in use, as by the REPL: the report then ignores UNWOUND */ }
  torn = false;
  throw UNWOUND;
}

const { setImmediate: soon } = globalThis;
let turning = null;
function setTurn() { turning ??= soon(turn); }

/** Between bursts SIGINT ends the requests that wait for promises; without one it is late, and dropped. */
function listenForInterrupts() {
  process.on('SIGINT', () => {
    if (inBurst) return;
    interruptWaiting();
    setTurn();
  });
}

/** Reads a channel by the event loop, which turns for the user's timers and sockets. */
function readOnLoop(from) {
  if (from.socket !== null) { from.socket._handle?.setBlocking(false); return; }
  const { Socket } = require('net');
  const socket = new Socket({ fd: from.descriptor, readable: true, writable: false, allowHalfOpen: true });
  from.socket = socket;
  socket.on('data', (bytes) => {
    if (from.data.length - from.filled < bytes.length) makeRoom(from, (from.filled - from.used + bytes.length) * 2);
    copyInto(bytes, from.data, from.filled);
    from.filled += bytes.length;
    setTurn();
  });
  socket.on('end', () => process.exit(0));
  socket.on('error', () => process.exit(0));
}

function main() {
  listenForInterrupts();
  emit(channel, frameOf(encode(greeting()), ''));
  startStreams();
  prepareGlobals();
  process.argv.splice(1);
  setTurn();
}

main();
