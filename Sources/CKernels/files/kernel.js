'use strict';
// The JavaScript kernel of meta: runs the user's JavaScript in Node and answers requests.
//
// A request is one frame on descriptor 3: 16 hexadecimal digits (8: bytes of header, 8: bytes of body), a JSON
// header, a JSON body. Each request that has an id gets exactly one `ret` or `err`. User code lives in the global
// scope and owns descriptors 1 and 2. User code may change any prototype: what the kernel uses is taken here, first.

const {
  Array, BigInt, Buffer, Date, Error, EvalError, Function, JSON, Map, Math, Number, Object, Promise, RangeError,
  ReferenceError, Reflect, RegExp, Set, String, Symbol, SyntaxError, TextDecoder, TypeError, URIError, Uint8Array,
  performance, process,
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
const { readSync, writeSync } = fs;
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
const mapSet = free(Map.prototype.set);
const mapSize = free(getOwnPropertyDescriptor(Map.prototype, 'size').get);
const setAdd = free(Set.prototype.add);
const setHas = free(Set.prototype.has);
const setDelete = free(Set.prototype.delete);
const setSize = free(getOwnPropertyDescriptor(Set.prototype, 'size').get);
const promiseThen = free(Promise.prototype.then);
const symbolText = free(getOwnPropertyDescriptor(Symbol.prototype, 'description').get);
const { inspect } = require('util');
const inspectOptions = { __proto__: null, customInspect: false, depth: 1, breakLength: Infinity };
const { isMap, isSet, isDate, isPromise, isUint8Array, isNativeError, isProxy } = require('util').types;
const prototypes = {
  Map: Map.prototype, Set: Set.prototype, Date: Date.prototype, Uint8Array: Uint8Array.prototype,
};
const builtinErrors = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const NativeMap = Map, NativeSet = Set, NativeDate = Date, NativeBigInt = BigInt, NativeSymbol = Symbol;
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
const decodeUTF8 = TextDecoder.prototype.decode.bind(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }));

// ------------------------------------------------------------------------------------------------------------ hello

const DEPTH_LIMIT = 1000;
const HEADER_LIMIT = 1 << 20;
const BODY_LIMIT = require('buffer').constants.MAX_STRING_LENGTH; // a body is one string here

/** The header of the first frame: who this is and what it can do. */
function greeting() {
  return {
    op: 'hello', protocol: '1.0', language: 'js', version: process.versions.node, operations: keysOf(operations),
    limits: { header: HEADER_LIMIT, body: BODY_LIMIT, depth: DEPTH_LIMIT }, buffers: 'none', plain: false,
    executable: process.execPath,
  };
}

/** An error with a code of the protocol; `path` is where in a value it is. */
class Failure {
  constructor(code, message, path, type) {
    this.code = code; this.message = message; this.path = path; this.type = type;
  }
}

/** An error of another language, with what that language said about it (`meta.Error`). */
class MetaError extends NativeError {
  constructor(message = '', fields = {}) {
    super(message);
    this.code = fields.code ?? 'runtime/raised';
    this.type = fields.type ?? 'Error';
    this.frames = fields.frames ?? [];
    for (const name of ['cause', 'data', 'language']) if (has(fields, name)) this[name] = fields[name];
  }
}
defineProperty(MetaError, 'name', { value: 'Error' });

/** A value of a type that JavaScript lacks, carried unchanged (`meta.Tagged`): `tag`, and its `fields`. */
class Tagged {
  constructor(tag, fields = {}) { this.tag = tag; this.fields = fields; }
}

/** What a Map that stands for an object is: its keys would be reordered in an object, and it goes home as one. */
class ObjectMap extends NativeMap {}

const meta = { Error: MetaError, Tagged, ObjectMap };

// ----------------------------------------------------------------------------------------------------------- decode

// Digits that JSON.parse may round, and what else it bends. A match may be inside text; the careful way is then merely slower.
const LONG_INTEGER = /[[,: \n\r\t-]\d{16,}[\],} \n\r\t]/;
const SPECIAL = /\\u[dD][89a-fA-F]|"_type"|"__proto__"|"\s+:|\d[eE]\+?\d{3}|\d{300}/;

/** The value of a JSON text (a Buffer). Throws Failure `wire/unreadable` naming the place. */
function decode(body) {
  let text;
  try { text = decodeUTF8(body); } catch { throw new Failure('wire/unreadable', 'body is not UTF-8'); }
  if (text.length < 64 && test(/^\[\[(-?\d{1,15}(,-?\d{1,15})*)?\],\{\}\]$/, text)) return parseJSON(text);
  if (text.length > 256) {
    const value = decodePlain(text);
    if (value !== NOT_PLAIN) return value;
  }
  return new Reader(text).read();
}

const NOT_PLAIN = Symbol('the careful way');

/**
 * What `JSON.parse` makes of a text in which nothing can be bent: no long integer, no tag, no escape of a surrogate, no
 * exponent that overflows, no key that is there twice or that an object would reorder. Otherwise NOT_PLAIN.
 */
function decodePlain(text) {
  if (test(LONG_INTEGER, text) !== null || test(SPECIAL, text) !== null) return NOT_PLAIN;
  let value;
  try { value = parseJSON(text); } catch { return NOT_PLAIN; }
  if (typeof value !== 'object' || value === null) return NOT_PLAIN;
  const keys = countKeys(value, 1);
  return keys >= 0 && keys === countColons(text) ? value : NOT_PLAIN;
}

/** How many keys the objects in a value have; below 0 when one is an index or it is too deep. */
function countKeys(value, depth) {
  if (depth > DEPTH_LIMIT) return -Infinity;
  let count = 0;
  if (isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const item = value[at];
      if (typeof item === 'object' && item !== null) count += countKeys(item, depth + 1);
    }
    return count;
  }
  const names = keysOf(value);
  count = names.length;
  if (count === 0) return 0;
  const code = codeAt(names[0], 0); // an object has its indexes first
  if (code >= 48 && code <= 57 && isIndex(names[0])) return -Infinity;
  for (let at = 0; at < names.length; at++) {
    const item = value[names[at]];
    if (typeof item === 'object' && item !== null) count += countKeys(item, depth + 1);
  }
  return count;
}

/** How often a quote is followed by a colon: at least once for each key. */
function countColons(text) {
  let count = 0;
  for (let at = indexOf(text, '":', 0); at >= 0; at = indexOf(text, '":', at + 2)) count++;
  return count;
}

/**
 * A strict reader: duplicate keys, lone surrogates and numbers beyond a float are errors; long integers become
 * BigInt; integer-like keys keep their order in a Map. Strings and containers are taken whole from the text.
 */
class Reader {
  constructor(text) { this.text = text; this.at = 0; this.depth = 0; }

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
  let indexes = false;
  for (let at = 0; at < names.length; at++) {
    const name = names[at];
    if (has(object, name)) reader.fail(`the key ${stringifyJSON(name)} is there twice`);
    const code = codeAt(name, 0);
    if (code >= 48 && code <= 57 && isIndex(name)) indexes = true;
    if (name === '__proto__' || name in objectPrototype) own(object, name, values[at]);
    else object[name] = values[at];
  }
  if (has(object, '_type')) return readTagged(object);
  if (!indexes) return object;
  const map = new ObjectMap();
  for (let at = 0; at < names.length; at++) mapSet(map, names[at], values[at]);
  return map;
}

function own(object, name, value) {
  defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
}

function readTagged(object) {
  const tag = object._type;
  const reader = typeof tag === 'string' && has(readers, tag) ? readers[tag] : undefined;
  const fields = create(null);
  for (const name of keysOf(object)) if (name !== '_type') fields[name] = object[name];
  if (reader !== undefined) {
    const value = reader(fields, keysOf(fields));
    if (value !== KEEP) return value;
  }
  return new Tagged(tag, fields);
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
  Bytes: (fields, names) => {
    if (!one(names, 'base64') || typeof fields.base64 !== 'string') return KEEP;
    const data = bufferFrom(fields.base64, 'base64');
    if (toText(data, 'base64') !== fields.base64) throw new Failure('wire/unreadable', 'base64 of Bytes is not canonical');
    const bytes = new Uint8Array(data.length);
    copyInto(data, bytes);
    return bytes;
  },
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
    if (!one(names, 'entries') || !isArray(fields.entries)) return KEEP;
    const map = new NativeMap();
    for (let at = 0; at < fields.entries.length; at++) {
      const entry = fields.entries[at];
      if (!isArray(entry) || entry.length !== 2) return KEEP;
      mapSet(map, entry[0], entry[1]);
    }
    return mapSize(map) === fields.entries.length ? map : KEEP;
  },
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

// ----------------------------------------------------------------------------------------------------------- encode

/** False for text with half a character. */
const isText = (text) => test(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/, text) === null;

/** The JSON text of a value, exact. Throws Failure `value/…` naming the path. */
function encode(value) {
  if (typeof value === 'number' && isSafeInteger(value) && !is(value, -0)) return `${value}`;
  if (typeof value === 'object' && value !== null) {
    const text = encodePlain(value);
    if (text !== null) return text;
  }
  const writer = new Writer();
  writer.write(value, 1);
  return writer.text;
}

/**
 * The text of a value that is plain JSON all through, otherwise null. `JSON.stringify` drops and bends what JSON lacks
 * without a word, so it is asked only after `isPlain` has seen every part.
 */
function encodePlain(value) {
  if (toJSONIsDefined() || !isPlain(value, 1)) return null;
  const text = stringifyJSON(value);
  // A lone surrogate comes out as an escape; `_type` may be a key.
  return includes(text, '\\ud') || includes(text, '"_type"') ? null : text;
}

const toJSONIsDefined = () => 'toJSON' in objectPrototype || 'toJSON' in arrayPrototype;

/** Whether a value holds only null, booleans, text, numbers that JSON keeps, arrays without more and plain objects. */
function isPlain(value, depth) {
  if (depth > DEPTH_LIMIT || isProxy(value)) return false; // a cycle ends here too
  let items;
  let names = null;
  if (isArray(value)) {
    if (getPrototypeOf(value) !== arrayPrototype || keysOf(value).length !== value.length) return false;
    items = value;
  } else {
    if (getPrototypeOf(value) !== objectPrototype) return false;
    names = keysOf(value);
    // Two questions, as Reflect.ownKeys is slower than both.
    if (getOwnPropertyNames(value).length !== names.length || getOwnPropertySymbols(value).length > 0) return false;
    items = names;
  }
  for (let at = 0; at < items.length; at++) {
    const item = names === null ? items[at] : value[names[at]];
    if (typeof item === 'string') continue;
    if (typeof item === 'number') {
      if (item % 1 === 0 ? !isSafeInteger(item) || is(item, -0) : !isFinite(item)) return false;
    } else if (typeof item === 'object') {
      if (item !== null && !isPlain(item, depth + 1)) return false;
    } else if (typeof item !== 'boolean') return false;
  }
  return true;
}

const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

/** Appends texts; the path of a failure is collected on the way out, so that success pays nothing for it. */
class Writer {
  constructor() { this.text = ''; this.above = new NativeSet(); }

  write(value, depth) {
    switch (typeof value) {
      case 'string': return this.string(value);
      case 'number': return this.number(value);
      case 'boolean': this.text += value ? 'true' : 'false'; return undefined;
      case 'bigint': this.text += `${value}`; return undefined;
      case 'undefined': this.text += '{"_type":"Undefined"}'; return undefined;
      case 'symbol': return this.symbol(value);
      case 'function': throw new Failure('value/uncopyable', 'a function cannot be copied', '', 'Function');
      default: return value === null ? void (this.text += 'null') : this.container(value, depth);
    }
  }

  string(value) {
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
    if (key === undefined) throw new Failure('value/uncopyable', 'a symbol that is not of Symbol.for cannot be copied', '', 'symbol');
    this.text += '{"_type":"Symbol","value":';
    this.string(key);
    this.text += '}';
  }

  container(value, depth) {
    if (isProxy(value)) throw new Failure('value/uncopyable', 'a Proxy cannot be copied', '', 'Proxy');
    if (setHas(this.above, value)) throw new Failure('value/cycle', `${typeName(value)} contains itself`, '', typeName(value));
    if (depth > DEPTH_LIMIT) throw new Failure('value/depth', `a value nests at most ${DEPTH_LIMIT} levels`, '', typeName(value));
    setAdd(this.above, value);
    const prototype = getPrototypeOf(value);
    if (isArray(value)) this.array(value, prototype, depth);
    else if (prototype === objectPrototype || prototype === null) this.object(value, prototype, depth);
    else this.special(value, prototype, depth);
    setDelete(this.above, value);
  }

  /** Writes one part of a container; `step` is its place in the path. */
  inside(value, depth, step) {
    try { this.write(value, depth); } catch (error) {
      if (error instanceof Failure) error.path = (step + (error.path ?? '')).slice(0, 1000);
      throw error;
    }
  }

  array(value, prototype, depth) {
    if (prototype !== arrayPrototype) this.refuse(value, 'its class would be lost');
    const names = keysOf(value);
    if (names.length !== value.length) this.refuse(value, names.length < value.length ? 'it has holes' : 'it has properties of its own');
    this.list(value, depth);
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
    if (test(needsEscape, item) === null) this.text += `"${item}"`;
    else this.inside(item, 0, `[${at}]`);
  }

  object(value, prototype, depth) {
    if (prototype === null) this.refuse(value, 'it has no prototype, which would be lost');
    const names = keysOf(value);
    if (getOwnPropertySymbols(value).length > 0) this.refuse(value, 'it has symbols for keys');
    if (getOwnPropertyNames(value).length !== names.length) this.refuse(value, 'it has hidden properties');
    if (has(value, '_type')) return this.entries(names, (name) => this.property(value, name), depth);
    let separator = '{';
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      this.text += separator;
      separator = ',';
      if (test(needsEscape, name) === null) this.text += `"${name}":`;
      else { this.inside(name, 0, keyPath(name)); this.text += ':'; }
      const item = this.property(value, name);
      if (typeof item === 'number') this.number(item);
      else if (typeof item === 'string' && test(needsEscape, item) === null) this.text += `"${item}"`;
      else this.inside(item, depth + 1, keyPath(name));
    }
    this.text += separator === '{' ? '{}' : '}';
    return undefined;
  }

  /** A property's value; a getter is user code, so it may throw. */
  property(value, name) { return value[name]; }

  entries(names, get, depth) {
    this.text += '{"_type":"Map","entries":[';
    for (let at = 0; at < names.length; at++) {
      this.text += at > 0 ? ',[' : '[';
      this.inside(names[at], depth + 3, keyPath(names[at]));
      this.text += ',';
      this.inside(get(names[at]), depth + 3, keyPath(names[at]));
      this.text += ']';
    }
    this.text += ']}';
  }

  special(value, prototype, depth) {
    if (value instanceof Tagged && prototype === Tagged.prototype) return this.tagged(value.tag, value.fields, depth);
    if (isNativeError(value)) return this.error(value, depth);
    if (isMap(value) && prototype === ObjectMap.prototype) return this.objectMap(value, depth);
    if (keysOf(value).length > 0 && prototype !== prototypes.Uint8Array) return this.refuse(value, 'its class would be lost');
    if (isMap(value) && prototype === prototypes.Map) {
      const names = [];
      mapForEach(value, (item, key) => { push(names, [key, item]); });
      return this.pairs(names, depth);
    }
    if (isSet(value) && prototype === prototypes.Set) {
      const items = [];
      setForEach(value, (item) => { push(items, item); });
      this.text += '{"_type":"Set","items":';
      this.list(items, depth + 1);
      this.text += '}';
      return undefined;
    }
    if (isDate(value) && prototype === prototypes.Date) return this.date(value);
    if (isUint8Array(value) && (prototype === prototypes.Uint8Array || prototype === Buffer.prototype)) {
      if (prototype === Buffer.prototype) return this.refuse(value, 'a Buffer would become a Uint8Array; new Uint8Array(it) can');
      this.text += `{"_type":"Bytes","base64":"${toText(bufferFrom(value.buffer, value.byteOffset, value.byteLength), 'base64')}"}`;
      return undefined;
    }
    return this.refuse(value, 'its class would be lost');
  }

  pairs(pairs, depth) {
    this.text += '{"_type":"Map","entries":[';
    for (let at = 0; at < pairs.length; at++) {
      const where = keyPath(pairs[at][0]);
      this.text += at > 0 ? ',[' : '[';
      this.inside(pairs[at][0], depth + 3, where);
      this.text += ',';
      this.inside(pairs[at][1], depth + 3, where);
      this.text += ']';
    }
    this.text += ']}';
  }

  objectMap(value, depth) {
    const pairs = [];
    mapForEach(value, (item, key) => { push(pairs, [key, item]); });
    for (let at = 0; at < pairs.length; at++) {
      if (typeof pairs[at][0] !== 'string' || pairs[at][0] === '_type') return this.pairs(pairs, depth);
    }
    let separator = '{';
    for (let at = 0; at < pairs.length; at++) {
      this.text += separator;
      separator = ',';
      this.inside(pairs[at][0], 0, keyPath(pairs[at][0]));
      this.text += ':';
      this.inside(pairs[at][1], depth + 1, keyPath(pairs[at][0]));
    }
    this.text += separator === '{' ? '{}' : '}';
    return undefined;
  }

  date(value) {
    if (dateTime(value) !== dateTime(value)) throw new Failure('value/uncopyable', 'an invalid Date cannot be copied', '', 'Date');
    this.text += `{"_type":"DateTime","value":"${dateISO(value)}"}`;
  }

  error(value, depth) {
    const fields = { __proto__: null };
    if (value instanceof MetaError) {
      fields.code = value.code; fields.type = value.type; fields.message = value.message; fields.frames = value.frames;
      for (const name of ['cause', 'data', 'language']) if (has(value, name)) fields[name] = value[name];
    } else {
      const kind = typeName(value);
      if (!has(builtinErrors, kind) || getPrototypeOf(value) !== builtinErrors[kind].prototype) this.refuse(value, 'its class would be lost');
      if (keysOf(value).length > 0) this.refuse(value, 'it has properties of its own');
      fields.code = 'runtime/raised'; fields.type = kind; fields.message = value.message;
      fields.frames = framesOf(value); fields.language = 'js';
      if (has(value, 'cause')) fields.cause = value.cause;
    }
    this.tagged('Error', fields, depth);
  }

  tagged(tag, fields, depth) {
    this.text += '{"_type":';
    this.string(`${tag}`);
    const names = keysOf(fields);
    for (let at = 0; at < names.length; at++) {
      this.text += ',';
      this.string(names[at]);
      this.text += ':';
      this.inside(fields[names[at]], depth + 1, keyPath(names[at]));
    }
    this.text += '}';
  }

  refuse(value, why) {
    throw new Failure('value/uncopyable', `${typeName(value)} cannot be copied: ${why}`, '', typeName(value));
  }
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

// ---------------------------------------------------------------------------------------------------------- streams

/** Nothing has to be flushed before a reply: writes wait until all is written. What breaks outside a request is only reported. */
function startStreams() {
  for (const name of ['stdout', 'stderr']) { // made at first use, since that takes Node a while
    const made = Object.getOwnPropertyDescriptor(process, name);
    Object.defineProperty(process, name, { ...made, get() {
      const stream = apply(made.get, process, []);
      stream._handle?.setBlocking?.(true); // a full pipe would otherwise be left for later
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

/** Runs source; the value is that of the last expression. Names given as a body are global for the run. */
function opEval(request, body) {
  const { code, name = '<js>' } = request;
  const names = body.length > 0 ? decode(body) : {};
  mapSet(sources, name, code);
  if (mapSize(sources) > SOURCES_LIMIT) for (const first of sources.keys()) { sources.delete(first); break; }
  const restore = bindNames(names);
  let value;
  try {
    value = runSource(code, name);
  } catch (error) { restore(); throw error; }
  if (!isPromise(value)) { restore(); return value; }
  return promiseThen(value, (result) => { restore(); return result; }, (error) => { restore(); throw error; });
}

/** Sets globals; returns a function that puts back what was there. */
function bindNames(names) {
  const list = isMap(names) ? [] : keysOf(names);
  const before = [];
  for (let at = 0; at < list.length; at++) {
    before[at] = getOwnPropertyDescriptor(globalThis, list[at]);
    own(globalThis, list[at], names[list[at]]);
  }
  return () => {
    for (let at = 0; at < list.length; at++) {
      if (before[at] === undefined) delete globalThis[list[at]];
      else defineProperty(globalThis, list[at], before[at]);
    }
  };
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

function opCall(request, body) {
  const [values, keywords] = body.length > 0 ? decode(body) : [[], {}];
  const { owner, value } = resolvePath(request.path);
  if (typeof value !== 'function') throw new Failure('runtime/raised', `${join(request.path, '.')} is not a function but ${typeName(value)}`, undefined, 'TypeError');
  const options = isMap(keywords) ? mapSize(keywords) : keysOf(keywords).length;
  if (options > 0) push(values, keywords);
  return startsWithClass(value) ? Reflect.construct(value, values) : apply(value, owner, values);
}

/** A class cannot be called; what a call means is then `new`. */
const startsWithClass = (value) => {
  const text = apply(Function.prototype.toString, value, []);
  return startsWith(text, 'class') && test(/^class\b/, text) !== null;
};

function opGet(request) { return resolvePath(request.path).value; }

function opSet(request, body) {
  const path = request.path;
  const value = decode(body);
  const name = path[path.length - 1];
  if (path.length > 1) { resolvePath(path.slice(0, -1)).value[name] = value; return null; }
  if (!has(globalThis, name) && isLexical(name)) {
    own(globalThis, HAND_OVER, value);
    try { vm.runInThisContext(`${name} = globalThis[${stringifyJSON(HAND_OVER)}]; undefined`); } finally { delete globalThis[HAND_OVER]; }
  } else globalThis[name] = value;
  return null;
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
  let owner;
  let value = resolveRoot(path[0]);
  for (let at = 1; at < path.length; at++) {
    if (value === null || value === undefined || !(path[at] in Object(value))) {
      throw new Failure('runtime/missing', `${join(path.slice(0, at), '.')} has no ${path[at]}${near(path[at], namesOf(value))}`);
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

function opStatus() { return { busy: false, pid: process.pid }; }

const operations = { eval: opEval, call: opCall, get: opGet, set: opSet, import: opImport, complete: opComplete, status: opStatus };

const KERNEL_FILE = __filename;

/** The user's own frames, outermost first, from an error's stack; getters on the error are user code. */
function framesOf(error) {
  let stack;
  try { stack = error.stack; } catch { return []; }
  if (typeof stack !== 'string') return [];
  const frames = [];
  const lines = split(stack, '\n');
  for (let at = 0; at < lines.length; at++) {
    const found = test(/^\s+at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/, lines[at]);
    if (found === null || !isUsers(found[2])) continue;
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
  return source !== KERNEL_FILE && !startsWith(source, 'node:') && !includes(source, '/node_modules/')
    && !startsWith(source, '<') && !startsWith(source, 'evalmachine.') && (startsWith(source, '/') || startsWith(source, 'file://'));
}

function lineOf(source, line) {
  let text = sourceText(source);
  if (text === undefined) {
    try { text = fs.readFileSync(startsWith(source, 'file://') ? slice(source, 7) : source, 'utf8'); } catch { return ''; }
  }
  return trim(split(text, '\n')[line - 1] ?? '');
}

/** The fields of an `err` for anything thrown. Nothing here may throw: getters and Proxies are user code. */
function describe(error, seen = new NativeSet()) {
  if (isProxy(error)) return { code: 'runtime/raised', type: 'Proxy', message: 'a Proxy was thrown', frames: [] };
  if (error instanceof Failure) {
    return { code: error.code, type: error.type ?? '', message: error.message, path: error.path, frames: [] };
  }
  const fields = { code: 'runtime/raised', type: typeName(error), message: describeValue(error), frames: [] };
  if (!isNativeError(error)) {
    try {
      if (typeof error === 'object' && error !== null) fields.message = inspect(error, inspectOptions);
      if (typeof error?.message === 'string') fields.message = error.message;
    } catch { /* a getter */ }
    return fields;
  }
  try { fields.message = `${error.message}`; } catch { fields.message = '<its message is unavailable: reading it threw>'; }
  try { if (error instanceof MetaError) { fields.code = `${error.code}`; fields.type = `${error.type}`; } } catch { /* ditto */ }
  fields.frames = framesOf(error);
  try {
    const { cause } = error;
    if (cause !== undefined && setSize(seen) < 16 && !setHas(seen, cause)) fields.cause = describe(cause, setAdd(seen, error));
  } catch { /* ditto */ }
  return fields;
}

// ------------------------------------------------------------------------------------------------------------- loop

// The kernel reads with blocking calls while nothing else is alive on the event loop: that is several times faster
// than the loop. When timers, sockets or children live, or a request waits for a promise, the loop turns.
//
// `breakOnSigint` stops a busy loop by tearing down every JavaScript frame up to the script that was started with it.
// Arming costs 50 µs, so one arming serves a burst of requests: `burst` runs inside it and may be torn down at any
// point. Therefore its state is in `channel` and `current`, and is made whole again by `recover`.

const INPUT = 3; // stays where it is: Node cannot move a descriptor, and has made 3 and 4 close-on-exec at its start
const CHUNK = 65536;
const channel = {
  data: bufferAlloc(CHUNK), used: 0, filled: 0, // the bytes read and not yet served; zero after `filled` while reading
  reading: false, outgoing: null, large: null, socket: null,
};
let current = null; // the request under way: { id, end, started, settled, failed, value }
let inBurst = false;
let keepAlive = null; // a timer that keeps the loop turning while a promise is awaited

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

function writeAll(frame) {
  for (let at = 0; at < frame.length;) {
    try {
      at += writeSync(INPUT, frame, at, frame.length - at);
    } catch (error) { if (error.code !== 'EAGAIN') process.exit(0); } // meta has gone
  }
}

/** Sends a reply and ends the request. A large frame waits for the end of the burst, where no teardown can cut it. */
function send(header, body) {
  const frame = frameOf(header, body);
  if (frame.length > CHUNK) { channel.large = frame; current = null; return; }
  channel.outgoing = frame;
  current = null;
  writeAll(frame);
  channel.outgoing = null;
}

function sendError(id, fields) {
  const header = { __proto__: objectPrototype, op: 'err', re: id };
  for (const name of keysOf(fields)) if (fields[name] !== undefined) own(header, name, fields[name]);
  let text;
  try { text = encode(clean(header)); } catch { text = ''; }
  if (text === '' || byteLength(text) > HEADER_LIMIT) {
    text = `{"op":"err","re":${id},"code":"${fields.code}","type":"","message":${stringifyJSON(slice(`${fields.message}`, 0, 2000))},"frames":[]}`;
  }
  send(text, '');
}

/** Text of the user's may hold half characters, which a header cannot: they are replaced. */
function clean(value) {
  if (typeof value === 'string') return isText(value) ? value : toText(bufferFrom(value), 'utf8');
  if (isArray(value)) { for (let at = 0; at < value.length; at++) value[at] = clean(value[at]); return value; }
  if (typeof value === 'object' && value !== null) for (const name of keysOf(value)) if (value[name] !== undefined) own(value, name, clean(value[name])); else delete value[name];
  return value;
}

/** Where the next whole frame ends in `channel.data`; 0 when it is not there yet; makes room for it. */
function frameEnd() {
  const { data, used, filled } = channel;
  if (filled - used < 16) { if (data.length - used < 16) makeRoom(CHUNK); return 0; }
  const prefix = latin1(data, used, used + 16);
  if (test(/^[0-9a-fA-F]{16}$/, prefix) === null) {
    sendError(null, { code: 'wire/unreadable', message: `a frame starts with 16 hexadecimal digits, got ${stringifyJSON(prefix)}` });
    process.reallyExit(1); // nobody can say where the next frame starts
  }
  const size = 16 + parseInt(slice(prefix, 0, 8), 16) + parseInt(slice(prefix, 8), 16);
  if (filled - used >= size) return used + size;
  if (data.length - used < size) makeRoom(size);
  return 0;
}

/** Moves what is unread to the start of a zeroed buffer that holds `size` bytes. */
function makeRoom(size) {
  const { data, used, filled } = channel;
  const next = bufferAlloc(size < CHUNK ? CHUNK : size);
  copyInto(data, next, 0, used, filled);
  channel.data = next;
  channel.filled = filled - used;
  channel.used = 0;
}

/** Waits for bytes; false at the end of the stream. A teardown loses the count, but frames hold no zero byte. */
function readBlocking() {
  if (channel.used === channel.filled && channel.filled > 0) {
    if (channel.data.length > CHUNK) channel.data = bufferAlloc(CHUNK); else fill(channel.data, 0, 0, channel.filled);
    channel.used = channel.filled = 0;
  }
  if (channel.filled === channel.data.length) makeRoom(channel.data.length * 2);
  let count;
  channel.reading = true;
  try {
    count = readSync(INPUT, channel.data, channel.filled, channel.data.length - channel.filled, null);
  } catch (error) {
    channel.reading = false;
    channel.socket?._handle?.setBlocking(true);
    return error.code === 'EAGAIN' || error.code === 'EINTR'; // otherwise meta has gone with replies unread
  }
  channel.filled += count;
  channel.reading = false;
  return count > 0;
}

/** Serves the frame that ends at `end`. A value that is a promise leaves `current` unsettled. */
function serveFrame(end) {
  const { data, used } = channel;
  const head = parseInt(latin1(data, used, used + 8), 16);
  let request;
  try {
    request = parseJSON(utf8(data, used + 16, used + 16 + head));
    if (head > HEADER_LIMIT || typeof request.op !== 'string') request = null;
  } catch { request = null; }
  if (request === null || (request.op !== 'init' && !has(request, 'id'))) {
    channel.used = end;
    return sendError(null, { code: 'wire/unreadable', message: `header is not a request of at most ${HEADER_LIMIT} bytes` });
  }
  if (request.op === 'init' && !has(request, 'id')) { channel.used = end; return startSession(request); }
  current = { id: request.id, end, started: now(), settled: false, failed: false, value: undefined };
  channel.used = end;
  const mine = current;
  try {
    if (!has(operations, request.op)) throw new Failure('runtime/unsupported', `this kernel has no operation ${request.op}`);
    const value = operations[request.op](request, part(data, used + 16 + head, end));
    if (!isPromise(value)) return finish(mine, value);
    promiseThen(value, (result) => settle(mine, false, result), (error) => settle(mine, true, error));
  } catch (error) { failWith(mine, error); }
  return undefined;
}

function startSession(request) {
  try { if (typeof request.directory === 'string' && request.directory !== process.cwd()) process.chdir(request.directory); } catch { /* it may be gone */ }
}

function settle(request, failed, value) {
  if (current !== request) return; // it was interrupted
  request.settled = true;
  request.failed = failed;
  request.value = value;
  if (!inBurst) setTurn();
}

function finish(request, value) {
  const elapsed = (now() - request.started) * 1000;
  let body;
  try {
    body = encode(value);
  } catch (error) { return failWith(request, error); }
  return send(`{"op":"ret","re":${request.id},"type":${stringifyJSON(typeName(value))},"elapsed":${elapsed.toFixed(1)}}`, body);
}

function failWith(request, error) {
  let fields;
  try { fields = describe(error); } catch { fields = { code: 'runtime/raised', type: 'Error', message: 'an error that cannot be described', frames: [] }; }
  sendError(request.id, fields);
}

const INTERRUPTED = { code: 'runtime/interrupted', type: 'Interrupted', message: 'interrupted', frames: [] };

/** Makes the state whole after a teardown, and answers the request that it hit. */
function recover() {
  inBurst = false;
  if (channel.reading) {
    const end = indexOfByte(channel.data, 0, channel.filled);
    channel.filled = end < 0 ? channel.data.length : end;
    channel.reading = false;
  }
  if (channel.outgoing !== null) {
    const frame = channel.outgoing; // whether it went out is unknown; meta drops a second reply by its id
    channel.outgoing = null;
    writeAll(frame);
  } else if (current !== null) {
    if (channel.used < current.end) channel.used = current.end;
    sendError(current.id, { ...INTERRUPTED });
  }
}

/** Serves requests until the event loop has to turn. Returns why: `pending`, `loop`, `large` or `end`. */
function burst() {
  inBurst = true;
  let reason;
  drainJobs(); // what a teardown left behind may be a busy loop too
  for (;;) {
    if (current !== null) {
      if (!current.settled) { reason = 'pending'; break; }
      if (current.failed) failWith(current, current.value); else finish(current, current.value);
    }
    if (channel.large !== null) { reason = 'large'; break; }
    const end = frameEnd();
    if (end > 0) {
      serveFrame(end);
      drainJobs();
    } else if (isLoopAlive()) { reason = 'loop'; break; } else if (!readBlocking()) { reason = 'end'; break; }
  }
  inBurst = false;
  return reason;
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
    if (handle !== channel.socket && !(handle.fd <= 2 && handle.fd >= 0) && handle !== process.stdin) return true;
  }
  return false;
}

const HIDDEN = '__meta_burst';
const armed = new vm.Script(`{ const burst = globalThis.${HIDDEN}; delete globalThis.${HIDDEN}; burst() }`, { filename: KERNEL_FILE });
const runArmed = vm.Script.prototype.runInThisContext.bind(armed);
const armedOptions = { __proto__: null, breakOnSigint: true, displayErrors: false };

/**
 * Runs a function so that SIGINT tears it down; undefined when that happened. Armings nest: while one inside another is
 * being renewed the outer one catches the signal, which would otherwise end the process.
 */
function arm(work) {
  own(globalThis, HIDDEN, work);
  try { return runArmed(armedOptions); } catch (error) {
    recover();
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
  if (keepAlive !== null) { stopTimer(keepAlive); keepAlive = null; }
  channel.socket?._handle?.setBlocking(true);
  for (;;) {
    const reason = arm(bursts);
    if (reason === undefined) continue;
    if (reason === 'large') { const frame = channel.large; channel.large = null; writeAll(frame); continue; }
    if (reason === 'end') process.exit(0);
    if (reason === 'pending') keepAlive ??= startTimer(() => {}, 2 ** 30); else readOnLoop();
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

const { setImmediate: soon, setInterval: startTimer, clearInterval: stopTimer } = globalThis;
let turning = null;
function setTurn() { turning ??= soon(turn); }

/** Between bursts SIGINT ends the request that waits for a promise; without one it is late, and dropped. */
function listenForInterrupts() {
  process.on('SIGINT', () => {
    if (current === null || inBurst) return;
    sendError(current.id, { ...INTERRUPTED });
    setTurn();
  });
}

/** Reads requests by the event loop, which turns for the user's timers and sockets. */
function readOnLoop() {
  if (channel.socket !== null) { channel.socket._handle.setBlocking(false); return; }
  const { Socket } = require('net');
  channel.socket = new Socket({ fd: INPUT, readable: true, writable: false, allowHalfOpen: true });
  channel.socket.on('data', (bytes) => {
    if (channel.data.length - channel.filled < bytes.length) makeRoom((channel.filled - channel.used + bytes.length) * 2);
    copyInto(bytes, channel.data, channel.filled);
    channel.filled += bytes.length;
    if (current === null) setTurn();
  });
  channel.socket.on('end', () => process.exit(0));
  channel.socket.on('error', () => process.exit(0));
}

function main() {
  listenForInterrupts();
  writeAll(frameOf(encode(greeting()), ''));
  startStreams();
  prepareGlobals();
  process.argv.splice(1);
  setTurn();
}

main();
