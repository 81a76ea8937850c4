"""Arrays, long bytes and long texts of Python in shared memory; loaded by the kernel when the first of them is met.

A segment is a file in /dev/shm that its maker fills before anybody else knows of it, and that never changes then. What
others hold of ours is counted as any object is (`list_own`, `release`): when nobody holds a Segment any more, its file
waits in IDLE for the next one. What we hold of others is a Mapping, counted as any proxy is (PROXIES, Watch). Arrays over
a mapping keep it alive.

No code here is ended by an interrupt: the kernel calls it through `quiet`. Finalizers may run at any moment and in any
thread: they do what is one step for the interpreter, or what `kernel.TABLE` guards.
"""

import _thread
import errno
import gc
import mmap
import os
import stat
import sys
from operator import index

import _meta_kernel as kernel
from _meta_kernel import HELD, NUMBERS, PROXIES, UNCOPYABLE, Failure, State, quote, type_name, unreadable

FOLDER = "/dev/shm/"
INLINE = 2048  # bytes from which on an array is worth a segment
MAPPED = 1 << 18  # bytes from which on a file of ours that is used again is kept mapped, to be filled at the speed of memory
PROMPT = 1 << 20  # bytes of a segment whose end meta hears of at once
POOL = 1 << 30  # bytes that may wait in IDLE, at most
POOL_FILES = 256  # and how many files
RANK = 32
HIGHEST = 1 << 63
WRITABLE = mmap.PROT_READ | mmap.PROT_WRITE
NO_RESERVE = 0x4000
POPULATE = 0x8000
FIXED = 0x10
REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM)  # what a file says that finds no room

# format -> (bytes of an item, its letters for `struct`)
FORMATS = {
    "bool": (1, "?"), "int8": (1, "b"), "int16": (2, "h"), "int32": (4, "i"), "int64": (8, "q"),
    "uint8": (1, "B"), "uint16": (2, "H"), "uint32": (4, "I"), "uint64": (8, "Q"),
    "float16": (2, "e"), "float32": (4, "f"), "float64": (8, "d"), "complex64": (8, "ff"), "complex128": (16, "dd"),
}
FAMILIES = {**dict.fromkeys("bhilqn", "int"), **dict.fromkeys("BHILQN", "uint"), **dict.fromkeys("efd", "float"),
            "Zf": "complex", "Zd": "complex", "F": "complex", "D": "complex"}
MODES = {  # of Pillow's images: format, samples of a pixel, the registered type
    "1": ("bool", 0, None), "L": ("uint8", 0, "ImageGray"), "RGB": ("uint8", 3, "ImageRGB"),
    "RGBA": ("uint8", 4, "ImageRGBA"), "I;16": ("uint16", 0, None), "F": ("float32", 0, None),
}
PICTURES = {(format, (samples,) if samples else ()): mode for mode, (format, samples, _) in MODES.items()}


def numpy(wanted=True):
    """NumPy, or None where it is not installed. Without `wanted` only when the user has imported it."""
    module = sys.modules.get("numpy")
    if module is None and wanted and not State.forked and Parts.numpy is None:
        try:
            import numpy as module
        except Exception:
            Parts.numpy = False
    return module if hasattr(module, "ndarray") else None


class Parts:
    """What is looked up once."""

    numpy = None  # False: it is not installed
    maximum = 0  # how many mappings a process may have
    mmap = get_buffer = buffer = None  # of C, through ctypes; False where there is none


def uncopyable(why):
    return Failure(UNCOPYABLE, why)


# ----------------------------------------------------------------------------------------------------------- look


class Look:
    """How an array lies in memory. `view` is a memoryview of it, `array` the same for NumPy, where it is one."""

    __slots__ = ("value", "view", "array", "format", "shape", "strides", "swapped", "mapping", "offset", "name")

    @property
    def size(self):
        return size_of(self.format, self.shape)


def look_at(value):
    """The Look of an array. Raises Failure UNCOPYABLE for one whose items are no numbers, or that is elsewhere."""
    look = Look()
    look.value, look.array, look.swapped, look.mapping, look.offset, look.name = value, None, False, None, 0, None
    if type(value) is View:
        return look_at_view(look, value)
    if is_image(type(value)):
        return look_at_image(look, value)
    source = value
    if type(value) is not memoryview and is_tensor(type(value)):
        source = tensor(value)
    try:
        look.view = memoryview(source)
    except Exception:
        raise uncopyable("its items are no numbers") from None
    look.format, look.swapped = format_of(look.view)
    look.shape, look.strides = look.view.shape, look.view.strides
    if look.format is None or len(look.shape) > RANK or look.view.suboffsets:
        raise uncopyable("its items are no numbers")
    if is_ndarray(type(source)):
        look.array = source
    if MAPPINGS and not look.swapped and look.view.nbytes:
        find_place(look, source, source is not value)
    return look


def look_at_view(look, value):
    if value._memory is None:
        raise Failure("buffer/stale", "the view was released")
    look.view, look.format, look.shape, look.strides = value._memory, value.format, value.shape, value.strides
    look.mapping, look.offset = value._mapping, value._offset
    return look


def is_ndarray(kind):
    module = sys.modules.get("numpy")
    return module is not None and kind is getattr(module, "ndarray", None)


def is_image(kind):
    module = sys.modules.get("PIL.Image")
    return module is not None and getattr(module, "Image", None) in type.__dict__["__mro__"].__get__(kind)


def look_at_image(look, image):
    """The Look of an image, whose pixels are copied out only by `raw`."""
    if image.mode not in MODES:
        raise uncopyable("pixels of the mode %s are no numbers" % image.mode)
    look.format, samples, look.name = MODES[image.mode]
    look.view = None
    look.shape = (image.height, image.width, samples) if samples else (image.height, image.width)
    look.strides = plain_strides(look.format, look.shape)
    return look


def pixels(image):
    if image.mode == "1":
        return image.convert("L").tobytes().translate(bytes([0]) + bytes([1]) * 255)
    return image.tobytes()


def is_tensor(kind):
    """Whether a type lends its memory as DLPack does, and in no other way."""
    bases = type.__dict__["__mro__"].__get__(kind)
    return not is_ndarray(kind) and any("__dlpack__" in type.__dict__["__dict__"].__get__(base) for base in bases)


def tensor(value):
    """An array of NumPy over a tensor in this processor's memory."""
    module = numpy()
    try:
        device = kernel.apply(type(value).__dlpack_device__, (value,), {})
        if module is not None and device[0] == 1:
            return kernel.apply(module.from_dlpack, (value,), {})
    except Exception:
        pass
    raise uncopyable("it is on another device, or lends its memory to nobody")


def format_of(view):
    """The format of a memoryview's items, None for one that does not cross; and whether they are big-endian."""
    letters = view.format
    swapped = letters[:1] in (">", "!") and view.itemsize > 1
    letters = letters.lstrip("@=<>!")
    if letters == "?":
        return "bool", False
    name = "%s%d" % (FAMILIES.get(letters), 8 * view.itemsize)
    return (name if name in FORMATS else None), swapped


def size_of(format, shape):
    size = FORMATS[format][0]
    for length in shape:
        size *= length
    return size


def plain_strides(format, shape):
    """The strides of C order."""
    strides, step = [], FORMATS[format][0]
    for length in reversed(shape):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


def extent(format, shape, strides):
    """Where items lie, from the first one: bytes before it, bytes behind its start."""
    reach = [(length - 1) * stride for length, stride in zip(shape, strides)]
    return sum([one for one in reach if one < 0]), sum([one for one in reach if one > 0]) + FORMATS[format][0]


def find_place(look, source, foreign):
    """Finds the mapping that an array lies in, and where; an array that lies in none is private memory."""
    mapping = mapping_behind(source)
    if mapping is None and not foreign:
        return
    address = address_of(look.view)
    if address is None:
        return
    for one in [mapping] if mapping is not None else living_mappings():
        low, high = extent(look.format, look.shape, look.strides)
        offset = address - one.address
        if 0 <= offset + low and offset + high <= one.size:
            look.mapping, look.offset = one, offset
            return


def mapping_behind(value):
    """The mapping that lends its memory to an array, slices and views of it included."""
    module = sys.modules.get("numpy")
    ndarray = getattr(module, "ndarray", Mapping)
    while type(value) is not Mapping:
        if type(value) is memoryview:
            value = value.obj
        elif isinstance(value, ndarray):
            value = value.base
        elif type(value) is View:
            value = value._mapping
        else:
            return None
    return value


# ----------------------------------------------------------------------------------------------------------- kind

# What a record calls an array's kind is a language and the name of a type there. An array that came in a record is of that kind
# wherever it goes on to, and its own language makes that type of it again. What is made from it here is of a kind of Python's.

ORIGINS = {}  # id of an array that came -> its Origin


class Origin(kernel._weakref.ref):
    """What the record of an array said, which holds as long as the array keeps its format and its shape."""

    __slots__ = ("number", "format", "shape", "language", "kind", "name")


def forget_origin(origin, origins=ORIGINS):
    if origins.get(origin.number) is origin:
        del origins[origin.number]


def remember_origin(array, fields, format, shape):
    """Keeps of which kind an array is that came, where its type here does not say it; the array."""
    language, kind, name = [text_of(fields, field, None) for field in ("language", "type", "name")]
    if language is None or kind is None or language == "py" and name is None:
        return array
    origin = Origin(array, forget_origin)
    origin.number, origin.format, origin.shape = id(array), format, tuple(shape)
    origin.language, origin.kind, origin.name = language, kind, name
    ORIGINS[origin.number] = origin
    return array


def origin_of(look):
    """The Origin of an array, None for one that was made here or has another shape by now."""
    origin = ORIGINS.get(id(look.value))
    if origin is None or origin() is not look.value or (origin.format, origin.shape) != (look.format, tuple(look.shape)):
        return None
    return origin


def kind_of(look):
    """The language and the name of the type that an array is of."""
    origin = origin_of(look)
    return ("py", own_kind(look)) if origin is None else (origin.language, origin.kind)


def own_kind(look):
    """The name of an array's type, with the letter of its items where the format has several and this is not the usual one."""
    kind = type_name(type(look.value))
    if kind in LETTERED:
        letter = look.view.format
        if letter in LONGS and letter != usual_letter(look.format):
            return "%s('%s')" % (kind, letter)
    return kind


LETTERED = ("array.array", "memoryview")
LONGS = ("i", "I", "l", "L", "q", "Q")


def usual_letter(format):
    if format in ("int64", "uint64") and sys.maxsize > 1 << 32:
        return "l" if format == "int64" else "L"
    return FORMATS[format][1]


def letter_in(kind, format):
    """The letter of items that the name of a type says; None for one that the format does not have."""
    import struct

    letter = kind[-3] if kind.endswith("')") else usual_letter(format)
    if letter == "?":
        return letter if format == "bool" else None
    fits = letter in "bBhHiIlLqQefd" and "%s%d" % (FAMILIES.get(letter), 8 * struct.calcsize(letter)) == format
    return letter if fits else None


def of_own_kind(kind, memory, format, shape, strides, offset):
    """What left Python as bytearray, array.array, memoryview or picture, as that type; None for all other arrays."""
    plain, size = tuple(strides) == plain_strides(format, shape), size_of(format, shape)
    base = kind.partition("(")[0]
    if base in LETTERED:
        letter = letter_in(kind, format)
        if letter is None:
            return None
        if base == "memoryview":
            return memoryview_over(memory, letter, shape, offset, size) if plain else None
        return array_of(letter, bytes_over(memory, format, shape, strides, offset)) if len(shape) == 1 else None
    if kind == "bytearray" and format == "uint8" and len(shape) == 1:
        return bytearray(bytes_over(memory, format, shape, strides, offset))
    mode = PICTURES.get((format, tuple(shape[2:]))) if len(shape) > 1 and size and is_image_kind(kind) else None
    return picture(mode, shape, bytes_over(memory, format, shape, strides, offset)) if mode else None


def bytes_over(memory, format, shape, strides, offset):
    """The bytes of items in C order, not copied where they lie so."""
    if tuple(strides) == plain_strides(format, shape):
        return memoryview(memory)[offset : offset + size_of(format, shape)]
    return array_over(memory, format, shape, strides, offset).tobytes()


def memoryview_over(memory, letter, shape, offset, size):
    """A memoryview of items that lie in C order; None where one cannot be made."""
    try:
        plain = memoryview(memory)[offset : offset + size].cast("B")
        return plain.cast(letter, list(shape)) if size else plain.cast(letter) if tuple(shape) == (0,) else None
    except (TypeError, ValueError):
        return None


def array_of(letter, data):
    """An `array.array` of these bytes; None where it has no such items."""
    import array

    if letter not in array.typecodes:
        return None
    made = array.array(letter)
    made.frombytes(data)
    return made


def is_image_kind(kind):
    """Whether that was the name of a class of Pillow's pictures, of Pillow itself or of who uses it."""
    module, _, name = kind.rpartition(".")
    found = vars(sys.modules[module]).get(name) if module in sys.modules else None
    return module.startswith("PIL.") or isinstance(found, type) and is_image(found)


def picture(mode, shape, data):
    """A picture of Pillow's; None where there is no Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image.frombytes(mode, (shape[1], shape[0]), bytes(data), "raw", "1;8" if mode == "1" else mode)


# ----------------------------------------------------------------------------------------------------------- View


class View:
    """An array that Python has no type for without NumPy (`meta.View`): `shape`, `strides` (bytes), `format`, `name`.

    `get(*index)`, `set(*index, value)`, `tolist()`. `release()` gives the memory back now.
    """

    __slots__ = ("shape", "strides", "format", "name", "_memory", "_mapping", "_offset", "__weakref__")

    def get(self, *index):
        """The item at a whole number for each axis, negative ones from the end."""
        import struct

        found = struct.unpack_from("<" + FORMATS[self.format][1], self._memory, self._place(index))
        return complex(*found) if len(found) == 2 else found[0]

    def set(self, *index_and_value):
        """Sets the item at an index to the last argument."""
        import struct

        *index, value = index_and_value
        letters = FORMATS[self.format][1]
        parts = (complex(value).real, complex(value).imag) if len(letters) == 2 else (value,)
        struct.pack_into("<" + letters, self._memory, self._place(index), *parts)

    def _place(self, index):
        if len(index) != len(self.shape):
            raise IndexError("the array has %d axes, got %d numbers" % (len(self.shape), len(index)))
        place = self._offset
        for number, length, stride in zip(index, self.shape, self.strides):
            if not -length <= number < length:
                raise IndexError("index %d is out of range for an axis of %d" % (number, length))
            place += (number + length if number < 0 else number) * stride
        return place

    def tolist(self):
        """All items as lists in lists, for no axis the item itself."""
        return self._items(())

    def _items(self, index):
        if len(index) == len(self.shape):
            return self.get(*index)
        return [self._items((*index, number)) for number in range(self.shape[len(index)])]

    def tobytes(self):
        """The bytes of the items in C order."""
        from itertools import product

        size = FORMATS[self.format][0]
        places = map(self._place, product(*map(range, self.shape)))
        return b"".join([bytes(self._memory[place : place + size]) for place in places])

    def release(self):
        """Gives the memory back; nothing can be read any more."""
        self._memory = self._mapping = None

    def __len__(self):
        if not self.shape:
            raise TypeError("an array without axes has no length")
        return self.shape[0]

    def __repr__(self):
        return "meta.View(%s, %r)" % (self.format, self.shape)


View.__module__ = "meta"


def new_view(memory, mapping, format, shape, strides, offset, name=None):
    view = View()
    view.shape, view.strides, view.format, view.name = tuple(shape), tuple(strides), format, name
    view._memory, view._mapping, view._offset = memory, mapping, offset
    return view


def array_over(memory, format, shape, strides, offset, name=None):
    """An array of what Python has, over a Mapping or a bytearray."""
    module, size = numpy(), size_of(format, shape)
    if module is not None:
        return module.ndarray(tuple(shape), "<" + DTYPES[format], memory, offset, tuple(strides))
    letters = FORMATS[format][1]
    plain = size and tuple(strides) == plain_strides(format, shape)
    if plain and len(letters) == 1 and letters != "e":
        return memoryview(memory)[offset : offset + size].cast("B").cast(letters, list(shape))
    return new_view(memoryview(memory), memory if type(memory) is Mapping else None, format, shape, strides, offset, name)


DTYPES = {name: name[0] + str(size) for name, (size, _) in FORMATS.items()}

# -------------------------------------------------------------------------------------------------------- mapping

MAPPINGS = {}  # number -> weak reference of a Mapping that lives
next_mapping = iter(range(1 << 62)).__next__


class Mapping(mmap.mmap):
    """A segment in the memory of this process. It ends when no array is left over it, never before.

    `segment` is ours, or None; `key` the (owner, generation, number) of another session's, or None; `private` says that writes stay
    here; `address` is where it lies, None where that is not known.
    """

    segment = key = where = address = whole = faces = ticket = None
    home = False  # it is the one that the maker of its segment uses
    name = ""
    private = mutable = False
    size = 0

    def close(self, *_):
        raise BufferError("a segment is unmapped when no array over it is left")

    resize = close


class Ticket:
    """Ends with its mapping, when nothing can bring that back: a weak reference may call when finalizers still can."""

    __slots__ = ("number", "watch", "size")

    def __del__(self, mappings=MAPPINGS, forget=kernel.forget, state=State):
        mappings.pop(self.number, None)
        if self.watch is None or state.forked:
            return
        forget(self.watch)
        if self.size >= PROMPT:
            state.down.send_releases(wait=False)


def load_c():
    """Finds what only C offers: to map over a mapping, and where memory lies."""
    if Parts.mmap is not None:
        return Parts.mmap
    try:
        import ctypes

        class Buffer(ctypes.Structure):
            """Py_buffer."""

            _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
                        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("rest", ctypes.c_void_p * 6)]

        call = ctypes.CDLL(None, use_errno=True).mmap
        call.restype = ctypes.c_void_p
        call.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
        get, give = ctypes.pythonapi.PyObject_GetBuffer, ctypes.pythonapi.PyBuffer_Release
        get.argtypes = [ctypes.py_object, ctypes.POINTER(Buffer), ctypes.c_int]
        give.argtypes, give.restype = [ctypes.POINTER(Buffer)], None
        Parts.buffer, Parts.get_buffer = Buffer, (get, give, ctypes.byref)
        Parts.mmap = call
    except Exception:
        Parts.mmap = False
    return Parts.mmap


READ_ONLY_FULL = 0x0118  # PyBUF_FULL_RO


def address_of(view):
    """Where the first item of a buffer lies; None without ctypes and NumPy."""
    if not load_c():
        module = numpy(False)
        return module and module.asarray(view).__array_interface__["data"][0]
    get, give, reference = Parts.get_buffer
    buffer = Parts.buffer()
    get(view, reference(buffer), READ_ONLY_FULL)
    address = buffer.buf
    give(reference(buffer))
    return address


def map_file(descriptor, size, flags):
    """A Mapping of a whole file. With ctypes it holds no descriptor: memory of nobody's is taken, and the file mapped over it."""
    check_mappings()
    try:
        if not load_c():
            mapping = Mapping(descriptor, size, flags, WRITABLE)
            mapping.address = address_of(memoryview(mapping))
        else:
            mapping = Mapping(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE, WRITABLE)
            mapping.address = address_of(memoryview(mapping))
            map_over(mapping, descriptor, size, flags)
    except OSError as error:
        raise Failure("buffer/mappings", "the system maps no further segment of %d bytes: %s" % (size, error.strerror)) from None
    mapping.size, mapping.private = size, bool(flags & mmap.MAP_PRIVATE)
    ticket = mapping.ticket = Ticket()
    ticket.number, ticket.watch, ticket.size = next_mapping(), None, size
    MAPPINGS[ticket.number] = kernel._weakref.ref(mapping)
    return mapping


def map_over(mapping, descriptor, size, flags):
    """Maps a file in the place of a mapping, in one step for whoever reads there."""
    if Parts.mmap(mapping.address, size, WRITABLE, flags | FIXED, descriptor, 0) != mapping.address:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def check_mappings():
    """Raises Failure `buffer/mappings` before the system's limit takes the interpreter's own memory away."""
    if not Parts.maximum:
        try:
            with open("/proc/sys/vm/max_map_count") as file:
                Parts.maximum = int(file.read())
        except (OSError, ValueError):
            Parts.maximum = 65530
    allowed = max(Parts.maximum - 4096, Parts.maximum // 2)
    if len(MAPPINGS) >= allowed:
        gc.collect()
        if len(MAPPINGS) >= allowed:
            raise Failure("buffer/mappings", "at most %d segments are mapped at a time" % allowed)


def living_mappings():
    return [mapping for mapping in [reference() for reference in list(MAPPINGS.values())] if mapping is not None]


UNWRITTEN = bytes([top for top in range(256) if not top & 0xC0 or top & 0x20])
PAGE = mmap.PAGESIZE


def is_written(mapping, offset, format, shape, strides):
    """Whether items of a private mapping may have been written: whether a page of theirs is no longer the file's."""
    if not mapping.private:
        return False
    if mapping.address is None:
        return True
    low, high = extent(format, shape, strides)
    first = (mapping.address + offset + low) // PAGE
    count = (mapping.address + offset + high - 1) // PAGE + 1 - first
    try:
        descriptor = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        return are_pages_written(descriptor, first, count)
    finally:
        os.close(descriptor)


def are_pages_written(descriptor, first, count):
    """Whether a page is here (bits 63 and 62 of its entry) and is nobody else's (bit 61)."""
    try:
        while count:
            entries = os.pread(descriptor, 8 * min(count, 1 << 17), 8 * first)
            if not entries or entries[7::8].translate(None, UNWRITTEN):
                return True
            first, count = first + len(entries) // 8, count - len(entries) // 8
        return False
    except OSError:
        return True


# ---------------------------------------------------------------------------------------------------- own segments


FILES = {}  # name -> File: all that are ours and still there
IDLE = []  # files that nobody holds, the longest idle first


class File:
    """A file of ours in shared memory, for one segment after the other; `memory` is the pool's mapping of its pages, once it has one.

    It is as long as what it holds, so that it is the contents for whoever reads it as a file, but where a longer one is used again.
    """

    __slots__ = ("name", "size", "memory")


class Segment:
    """What others hold of ours, and what our own arrays lie in: one life of a file."""

    __slots__ = ("file", "number", "mutable", "published", "home", "copy")

    def __del__(self, idle=IDLE, state=State):
        if not state.forked:
            idle.append(self.file)
            trim()


def new_segment(file, number):
    segment = Segment()
    segment.file, segment.number, segment.mutable, segment.published = file, number, False, False
    segment.home = segment.copy = None  # weak references of the maker's mapping and of another one of ours
    return segment


def trim(most=None):
    """Unlinks files that are idle, the longest idle first, until at most POOL_FILES of at most so many bytes are left."""
    most = min(POOL, State.segments_limit // 8) if most is None else most
    if not kernel.TABLE.acquire(False):
        return  # who has it trims at its next turn
    try:
        while IDLE and (len(IDLE) > POOL_FILES or sum([file.size for file in list(IDLE)]) > most):
            unlink(IDLE.pop(0))
    finally:
        kernel.TABLE.release()


def unlink(file):
    FILES.pop(file.name, None)
    file.memory = None
    try:
        os.unlink(FOLDER + file.name)
    except OSError:
        pass


def next_number():
    with kernel.TABLE:
        State.numbers += 1
        return State.numbers


def name_for(number):
    return "%s%d-%s" % (State.segments, number, os.urandom(8).hex())


def rename(file, number):
    name = name_for(number)
    os.rename(FOLDER + file.name, FOLDER + name)
    FILES.pop(file.name, None)
    file.name = name
    FILES[name] = file


def open_file(file, flags):
    return os.open(FOLDER + file.name, flags | os.O_CLOEXEC | os.O_NOFOLLOW)


def whole_pages(size):
    return (size + PAGE - 1) // PAGE * PAGE


def from_pool(size):
    """The smallest idle file whose pages suffice and that wastes at most a quarter; None when there is none."""
    with kernel.TABLE:
        fitting = [file for file in list(IDLE) if size <= whole_pages(file.size) <= max(whole_pages(size + size // 3), PAGE)]
        for best in sorted(fitting, key=lambda file: file.size):
            if best in IDLE:  # a finalizer may have run here, and trimmed
                IDLE.remove(best)
                return best
    return None


def make_segment(size, fill):
    """A segment that `fill(file, descriptor, is_new)` has filled. Raises Failure `buffer/full` or `buffer/limit`.

    Nothing stays when that fails.
    """
    try:
        return find_segment(size, fill)
    except OSError as error:
        raise Failure("buffer/full", "shared memory cannot be used: %s" % error) from None


def find_segment(size, fill):
    State.down.take_releases()
    number, file = next_number(), from_pool(size)
    if file is not None:
        try:
            return refilled(file, size, number, fill)
        except FileNotFoundError:
            unlink(file)  # somebody cleaned up: what is idle is no loss
    check_room(size)
    try:
        return filled(size, number, fill)
    except OSError as error:
        if error.errno not in REFUSED:
            raise
    reclaim()
    try:
        return filled(size, number, fill)
    except OSError as error:
        raise full(size) if error.errno in REFUSED else error from None


def refilled(file, size, number, fill):
    """A segment in a file that had another life, and nobody who sees it now. Its pages stay."""
    try:
        os.chmod(FOLDER + file.name, 0o600)
        rename(file, number)
        descriptor = open_file(file, os.O_RDWR)
        try:
            if size != file.size and whole_pages(size) == whole_pages(file.size):
                os.ftruncate(descriptor, size)
                file.size = size
                if file.memory is not None and len(file.memory) < size:
                    file.memory = None
            if file.memory is None and file.size >= MAPPED:
                file.memory = pool_mapping(descriptor, whole_pages(file.size))
            fill(file, descriptor, False)
        finally:
            os.close(descriptor)
    except BaseException:
        unlink(file)
        raise
    return new_segment(file, number)


def pool_mapping(descriptor, size):
    """A mapping of all pages of a file, to fill it again and again; None where that is not worth it, or cannot be had."""
    try:
        return map_file(descriptor, size, mmap.MAP_SHARED | POPULATE) if load_c() else None
    except Failure:
        return None


def filled(size, number, fill):
    """A segment in a new file."""
    file = File()
    file.name, file.size, file.memory = name_for(number), size, None
    descriptor = open_file_new(file)
    try:
        FILES[file.name] = file
        os.ftruncate(descriptor, file.size)
        fill(file, descriptor, True)
    except BaseException:
        unlink(file)
        raise
    finally:
        os.close(descriptor)
    return new_segment(file, number)


def open_file_new(file):
    return os.open(FOLDER + file.name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def write_all(descriptor, data, place=0):
    """Writes all of a C-contiguous memoryview of bytes; the file stops it where there is no room."""
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done : done + (1 << 30)], place + done)


def write_zeros(descriptor, start, end):
    zeros = memoryview(bytes(min(end - start, 1 << 20)))
    while start < end:
        start += os.pwrite(descriptor, zeros[: end - start], start)


def reclaim():
    """Gives up what only garbage or the pool holds."""
    gc.collect()
    trim(0)


def check_room(size):
    """Raises Failure when a further segment is more than meta may have, or than there is."""
    if has_room(size) is None:
        return
    reclaim()
    failure = has_room(size)
    if failure is not None:
        raise failure


def has_room(size):
    """None, or the Failure that says what is missing."""
    room = os.statvfs(FOLDER)
    used = (room.f_blocks - room.f_bfree) * room.f_frsize
    if used + size > State.segments_limit:  # all of the folder, so that the family has to be counted only when it is near
        taken = family_size()
        if taken + size > State.segments_limit:
            return Failure("buffer/limit", "segments have at most %d bytes together, there are %d, wanted are %d more" % (
                State.segments_limit, taken, size))
    if room.f_blocks and room.f_bavail * room.f_frsize < size:
        return full(size)
    return None


def full(size):
    room = os.statvfs(FOLDER)
    return Failure("buffer/full", "shared memory is full: %d bytes are wanted, %d are free" % (size, room.f_bavail * room.f_frsize))


def family_size():
    """The bytes of all segments of this meta."""
    family, total = State.segments.rsplit("-", 2)[0] + "-", 0
    with os.scandir(FOLDER) as entries:
        for entry in entries:
            if entry.name.startswith(family):
                try:
                    total += entry.stat(follow_symlinks=False).st_size
                except OSError:
                    pass  # it went meanwhile
    return total


def enlist(segment, refs):
    """Counts one sending of a segment; its file is named for the number that it has as an object."""
    with kernel.TABLE:
        if not segment.published:  # the number that its file is named for was given to nobody
            HELD[segment.number], NUMBERS[id(segment)] = [segment, 0], segment.number
            segment.published = True
        number = kernel.list_own(refs, segment)
        if number != segment.number:
            rename_listed(segment, number)
    refs.shared = True
    return (State.session, State.generation, number)


def rename_listed(segment, number):
    try:
        rename(segment.file, number)
    except OSError:
        raise Failure("buffer/stale", "somebody took the segment %s away" % segment.file.name) from None
    segment.number = number


def totals():
    """How many segments of ours there are, and their bytes."""
    files = list(FILES.values())
    return len(files), sum([file.size for file in files])


def leave():
    """Takes away all segments of ours, at the end of the process."""
    for file in list(FILES.values()):
        unlink(file)


# ---------------------------------------------------------------------------------------------------------- write


def write_array(value, out, depth):
    """Puts the record of an array, as `share` of the frame says."""
    refs = out.refs
    if refs.share == "none" or State.segments is None or State.forked:
        raise uncopyable("arrays do not cross here")
    look = look_at(value)
    mapping = look.mapping
    if mapping is not None and not mapping.home and not is_written_there(look):
        return out.put(origin_record(look, refs))
    if refs.share is None:
        return put_live(value, look, out)
    out.put(kernel.quiet(published, look, refs))


def is_written_there(look):
    return is_written(look.mapping, look.offset, look.format, look.shape, look.strides)


def put_live(value, look, out):
    number = kernel.list_own(out.refs, value)
    out.refs.live = True
    name = name_of(look)
    named = ',"name":%s' % quote(name) if name else ""
    language, kind = kind_of(look)
    start = '{%s,"language":%s%s' % (head_of((State.session, State.generation, number), look), quote(language), named)
    out.late.append((len(out.parts), value, number, start, kind))
    out.put("")


def head_of(key, look):
    return '"_type":"Buffer","buffer_id":%s,"format":"%s","shape":[%s]' % (
        quote("%s-%d-%d" % key if key else ""), look.format, ",".join(map(str, look.shape)))


def record(key, look, where, strides, offset, language, kind, name, mutable):
    """The record of an array in a segment, as JSON text; `strides` None for C order."""
    text = '{%s,"language":%s,"type":%s,"owner":%s,"generation":%d,"ref":%d,"segment":"%s"' % (
        head_of(key, look), quote(language), quote(kernel.shown(kind)), quote(key[0]), key[1], key[2], where)
    if strides is not None and tuple(strides) != plain_strides(look.format, look.shape):
        text += ',"strides":[%s]' % ",".join(map(str, strides))
    if offset:
        text += ',"offset":%d' % offset
    if name:
        text += ',"name":%s' % quote(name)
    return text + (',"mutable":true}' if mutable else "}")


def origin_record(look, refs):
    """The record of an array in another session's segment, or in one of ours that came home as a copy."""
    mapping = look.mapping
    if mapping.key:
        key, where = mapping.key, mapping.where
        refs[key] = refs.shared = True
    else:
        key = enlist(mapping.segment, refs)
        where = mapping.segment.file.name
    return record(key, look, where, look.strides, look.offset, *kind_of(look), name_of(look), mapping.mutable)


def name_of(look):
    """The registered type of an array: what its maker named it, for the whole of that only."""
    if look.name:
        return look.name
    origin, mapping = origin_of(look), look.mapping
    if origin is not None:
        return origin.name
    return mapping.name if mapping is not None and mapping.name and mapping.whole == shape_key(look) else None


def shape_key(look):
    return (look.format, tuple(look.shape), tuple(look.strides), look.offset)


def face_key(place, kind):
    return (*place, *kind)


def published(look, refs):
    """The record of an array with its contents. Raises Failure `buffer/…`."""
    mapping = look.mapping
    mutable = mapping is not None and mapping.mutable
    if look.size < INLINE and not mutable:
        return inline_record(look)
    if mapping is not None and mapping.home and publish_in_place(look):
        key = enlist(mapping.segment, refs)
        remember_face(look)
        return record(key, look, mapping.segment.file.name, look.strides, look.offset, *kind_of(look), name_of(look), mutable)
    segment, strides = publish_copy(look)
    key = enlist(segment, refs)
    return record(key, look, segment.file.name, strides, 0, *kind_of(look), name_of(look), False)


def inline_record(look):
    import binascii

    data, strides = raw(look)
    if data is None or strides is not None:
        data = in_order(look)
    text = binascii.b2a_base64(data, newline=False).decode()
    name, (language, kind) = name_of(look), kind_of(look)
    return '{%s,"language":%s,"type":%s%s,"base64":"%s"}' % (
        head_of(None, look), quote(language), quote(kernel.shown(kind)), ',"name":%s' % quote(name) if name else "", text)


def raw(look):
    """The bytes of an array as they lie there, and their strides, None for C order; (None, None) when they lie apart."""
    if look.view is None:
        return memoryview(pixels(look.value)), None
    if look.array is not None:
        return raw_of_array(look)
    if type(look.value) is View:
        return memoryview(look.value.tobytes()), None
    if look.swapped:
        return None, None
    if look.view.c_contiguous and look.view.format in ("?", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d"):
        return look.view.cast("B") if look.view.nbytes else memoryview(b""), None
    return memoryview(look.view.tobytes()), None


def raw_of_array(look):
    array = look.array
    if look.swapped or look.format == "bool" and array.view("u1").max(initial=0) > 1:
        return None, None
    if array.flags.c_contiguous:
        return memoryview(array.reshape(-1).view("u1")), None
    if array.flags.f_contiguous:
        return memoryview(array.T.reshape(-1).view("u1")), look.strides
    return None, None


def in_order(look):
    """The bytes of an array in C order, in memory of their own."""
    if look.array is None and numpy(False) is None:
        return swapped_bytes(look)
    array = look.array if look.array is not None else numpy().asarray(look.view)
    if look.format == "bool":
        array = array.view("u1") != 0
    return memoryview(array.astype("<" + DTYPES[look.format], order="C").reshape(-1).view("u1"))


def swapped_bytes(look):
    size, data = look.view.itemsize, look.view.tobytes()
    if look.swapped:
        size = size // 2 if look.format.startswith("complex") else size
        turned = bytearray(len(data))
        for place in range(size):
            turned[place::size] = data[size - 1 - place :: size]
        data = turned
    return memoryview(data)


def publish_copy(look):
    """A segment with a copy of an array, and the strides there, None for C order."""
    data, strides = raw(look)
    if data is None and (look.size < MAPPED or look.array is None or look.format == "bool"):
        data = in_order(look)

    def fill(file, descriptor, new):
        if data is None:
            copy_apart(look, file, descriptor, new)
        else:
            copy_bytes(data, file, descriptor, new)

    return seal(make_segment(look.size, fill)), strides


def copy_bytes(data, file, descriptor, new):
    if file.memory is not None:
        file.memory[: len(data)] = data
    else:
        write_all(descriptor, data)
    if not new:
        write_zeros(descriptor, len(data), file.size)


def copy_apart(look, file, descriptor, new):
    """Copies items that do not lie side by side straight to where they will."""
    if new:
        os.posix_fallocate(descriptor, 0, file.size)
    if file.memory is None:
        file.memory = map_file(descriptor, whole_pages(file.size) if load_c() else file.size, mmap.MAP_SHARED | POPULATE)
    module = numpy()
    module.copyto(module.ndarray(look.shape, "<" + DTYPES[look.format], file.memory), look.array)
    if not new:
        write_zeros(descriptor, look.size, file.size)


def seal(segment):
    os.chmod(FOLDER + segment.file.name, 0o400)
    return segment


def publish_in_place(look):
    """Makes the segment that an array of ours lies in what others may see; false when it has to be copied.

    From here on writes are private to this process. A segment that was written since is left to those who hold it, and a new one takes its
    place, unless other threads could write meanwhile, or only a part is wanted.
    """
    mapping = look.mapping
    if mapping.mutable or mapping.private and not is_written_there(look):
        return True
    if not Parts.mmap or mapping.private and (2 * look.size < mapping.size or _thread._count()):
        return False
    segment = mapping.segment
    if mapping.private:
        data = memoryview(mapping)
        segment = make_segment(mapping.size, lambda *place: copy_bytes(data, *place))
    try:
        replace(mapping, seal(segment))
    except OSError:  # somebody took the file away, or nothing more can be mapped
        return False
    return True


def replace(mapping, segment):
    """Maps a segment privately where a mapping is."""
    descriptor = open_file(segment.file, os.O_RDONLY)
    try:
        map_over(mapping, descriptor, min(mapping.size, segment.file.size), mmap.MAP_PRIVATE)
    finally:
        os.close(descriptor)
    mapping.private, mapping.segment = True, segment
    segment.home = kernel._weakref.ref(mapping)


def remember_face(look):
    """Keeps which object it was that crossed, so that the very same comes home."""
    faces = look.mapping.faces
    if len(faces) > 64:
        for key in [key for key, reference in faces.items() if reference() is None]:
            del faces[key]
    try:
        faces[face_key(shape_key(look), kind_of(look))] = kernel._weakref.ref(look.value)
    except TypeError:
        pass


def write_long(tag, data, out):
    """Puts the record of long bytes, or of a text in UTF-8; false where they have to cross in the frame."""
    refs = out.refs
    if refs.share == "none" or State.segments is None or State.forked:
        return False
    try:
        segment = kernel.quiet(make_blob, data)
    except (Failure, OSError):
        return False
    owner, generation, number = enlist(segment, refs)
    out.put('{"_type":"%s","owner":%s,"generation":%d,"ref":%d,"segment":"%s","length":%d}' % (
        tag, quote(owner), generation, number, segment.file.name, len(data)))
    return True


def make_blob(data):
    return seal(make_segment(len(data), lambda *place: copy_bytes(memoryview(data), *place)))


# ----------------------------------------------------------------------------------------------------------- read


def read(tag, fields, receiving):
    """The value of a record. Raises Failure `wire/unreadable` or `buffer/…`."""
    try:
        return read_buffer(fields, receiving) if tag == "Buffer" else read_long(tag, fields, receiving)
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise unreadable("a record of the type %s is malformed: %s", tag, error) from None


def read_buffer(fields, receiving):
    format, shape = layout_of(fields)
    if "base64" in fields:
        return read_inline(fields, format, shape)
    if "segment" not in fields:
        return read_live(fields, receiving)
    strides = whole_numbers(fields, "strides", None, -HIGHEST)
    strides = plain_strides(format, shape) if strides is None else tuple(strides)
    if len(strides) != len(shape):
        raise unreadable("a Buffer has a stride for each of its %d axes, got %d", len(shape), len(strides))
    offset = whole_number(fields, "offset", 0)
    name, mutable = text_of(fields, "name", None), fields.get("mutable", False)
    if type(mutable) is not bool:
        raise unreadable("mutable is true or false, got %.80r", mutable)
    if 0 in shape:
        return read_none(fields, receiving, (format, shape, strides, offset))
    mapping = find_mapping(fields, receiving, (format, shape, strides, offset), mutable)
    if mapping.whole is None:
        mapping.whole, mapping.name = (format, shape, strides, offset), name
    return face(mapping, fields, format, shape, strides, offset)


def read_none(fields, receiving, layout):
    """An array without items, for which no memory is needed, but a segment as good as any other's."""
    segment_key(fields, receiving)
    descriptor, size = open_segment(text_of(fields, "segment", ""))
    os.close(descriptor)
    check_range(layout, size)
    format, shape, _, _ = layout
    return new_array(bytearray(), fields, format, shape, plain_strides(format, shape), 0)


def new_array(memory, fields, format, shape, strides, offset):
    """The array that a record tells of, over a Mapping or a bytearray: of its own kind where that is one of Python's."""
    made = None
    if fields.get("language") == "py" and fields.get("mutable") is not True:
        made = of_own_kind(text_of(fields, "type", ""), memory, format, shape, strides, offset)
    if made is None:
        made = array_over(memory, format, shape, strides, offset, text_of(fields, "name", None))
        remember_origin(made, fields, format, shape)
    return made


def layout_of(fields):
    format = fields.get("format")
    if type(format) is not str or format not in FORMATS:
        raise unreadable("a Buffer has one of the known formats, got %.80r", format)
    shape = tuple(whole_numbers(fields, "shape", (), 0))
    if len(shape) > RANK:
        raise unreadable("a Buffer has at most %d axes, got %d", RANK, len(shape))
    if size_of(format, [length or 1 for length in shape]) >= HIGHEST:
        raise unreadable("a Buffer has less than 2^63 bytes, got the shape %.200r", list(shape))
    for field in ("language", "type", "buffer_id"):
        text_of(fields, field, "")
    return format, shape


def whole_number(fields, name, default):
    number = fields.get(name, default)
    if type(number) is not int or not 0 <= number < HIGHEST:
        raise unreadable("%s is a whole number from 0 on, got %.80s", name, kernel.short_repr(number))
    return number


def whole_numbers(fields, name, default, lowest):
    numbers = fields.get(name, default)
    if numbers is None and name not in fields:
        return None
    if type(numbers) is not list or name not in fields:
        raise unreadable("%s is a list of whole numbers, got %.80s", name, kernel.short_repr(numbers))
    for number in numbers:
        if type(number) is not int or not lowest <= number < HIGHEST:
            raise unreadable("%s is a list of whole numbers, one is %.80s", name, kernel.short_repr(number))
    return numbers


def text_of(fields, name, default):
    text = fields.get(name, default)
    if text is not default and type(text) is not str:
        raise unreadable("%s is a text, got %.80s", name, kernel.short_repr(text))
    return text


def read_inline(fields, format, shape):
    import binascii

    text = text_of(fields, "base64", "")
    try:
        data = binascii.a2b_base64(text)
    except ValueError:
        data = b""
    if binascii.b2a_base64(data, newline=False).decode() != text or len(data) != size_of(format, shape):
        raise unreadable("base64 of a Buffer holds its %d bytes", size_of(format, shape))
    text_of(fields, "name", None)
    return new_array(bytearray(data), fields, format, shape, plain_strides(format, shape), 0)


def read_live(fields, receiving):
    """An array that stays where it is: ours itself, or the proxy of another's."""
    return kernel.read_ref(fields, receiving)


def segment_key(fields, receiving):
    """The key of a listed segment."""
    key = kernel.ref_key([fields.get("owner"), fields.get("generation"), fields.get("ref")])
    if key is None:
        raise unreadable("a segment has owner, generation and ref, got %.200s", kernel.short_repr(fields))
    if receiving is None or key not in receiving.listed:
        raise unreadable("the segment %s %d %d is not listed in refs", *key)
    return key


def own_segment(key, where):
    """The segment of ours with that key."""
    if key[1] != State.generation:
        raise Failure("buffer/stale", "%s %d is of generation %d, now is %d" % (key[0], key[2], key[1], State.generation))
    held = HELD.get(key[2])
    if held is None:
        raise Failure("buffer/stale", "%s holds no segment %d (any more)" % (key[0], key[2]))
    if type(held[0]) is not Segment or held[0].file.name != where:
        raise Failure("buffer/forged", "%s %d is not that segment" % (key[0], key[2]))
    return held[0]


def find_mapping(fields, receiving, layout, mutable):
    """The mapping of the segment that a record names, with all of the record's items inside it."""
    key, where = segment_key(fields, receiving), text_of(fields, "segment", "")
    with kernel.TABLE:
        if receiving.listed[key] is None:
            return own_mapping(own_segment(key, where), layout, mutable)
        return foreign_mapping(key, where, receiving, layout, mutable)


def own_mapping(segment, layout, mutable):
    """Where a segment of ours that comes home lies: the maker's mapping, or when that was written another one."""
    if mutable != segment.mutable:
        raise Failure("buffer/forged", "the segment %d is %smutable" % (segment.number, "" if segment.mutable else "not "))
    for reference in (segment.home, segment.copy):
        mapping = reference and reference()
        if mapping is not None and mapping.segment is segment:
            check_range(layout, mapping.size)
            if not is_written_at(mapping, layout):
                return mapping
    check_range(layout, segment.file.size)
    mapping = attach(segment.file.name, mutable, layout)
    mapping.segment = segment
    segment.copy = kernel._weakref.ref(mapping)
    return mapping


def is_written_at(mapping, layout):
    format, shape, strides, offset = layout
    return 0 not in shape and is_written(mapping, offset, format, shape, strides)


def foreign_mapping(key, where, receiving, layout, mutable):
    """The mapping of another session's segment: the one there is, unless somebody wrote in it."""
    watch = PROXIES.get(key)
    mapping = watch and watch()
    if mapping is not None and (type(mapping) is not Mapping or mapping.where != where or mapping.mutable != mutable):
        raise Failure("buffer/forged", "%s %d %d is something else" % key)
    if mapping is not None:
        check_range(layout, mapping.size)
    if mapping is None or is_written_at(mapping, layout):
        mapping = attach(where, mutable, layout)
        watch = kernel.Watch(mapping)
        watch.key, watch.received, mapping.ticket.watch = key, 0, watch
        mapping.key, mapping.where, mapping.mutable = key, where, mutable
        if PROXIES.get(key) is not None and PROXIES[key]() is None:
            kernel.retire(PROXIES[key])
        PROXIES[key] = watch
    if not receiving.listed[key]:
        receiving.listed[key] = True
        watch.received += 1
    return mapping


def attach(where, mutable, layout):
    """Maps a segment by its name, privately unless it is mutable."""
    descriptor, size = open_segment(where, mutable)
    try:
        check_range(layout, size)
        mapping = map_file(descriptor, size, mmap.MAP_SHARED if mutable else mmap.MAP_PRIVATE)
    finally:
        os.close(descriptor)
    mapping.mutable, mapping.faces = mutable, {}
    return mapping


LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")


def open_segment(where, mutable=False):
    """Opens a segment for reading, and for writing when it is mutable: (descriptor, size). Raises Failure `buffer/…`."""
    if not where.startswith("meta-%d-" % os.getuid()) or not LETTERS.issuperset(where) or len(where) > 255:
        raise Failure("buffer/forged", "%.80s is no name of a segment of this user's" % ascii(where))
    access = os.O_RDWR if mutable else os.O_RDONLY
    try:
        descriptor = os.open(FOLDER + where, access | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Failure("buffer/stale", "there is no segment %s (any more)" % where) from None
    except OSError as error:
        raise Failure("buffer/forged", "the segment %s cannot be opened: %s" % (where, error.strerror)) from None
    found = os.fstat(descriptor)
    if found.st_uid != os.getuid() or not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or mutable and not found.st_mode & 0o200:
        os.close(descriptor)
        raise Failure("buffer/forged", "the segment %s is not what this user's meta makes" % where)
    return descriptor, found.st_size


def check_range(layout, size):
    """Raises Failure `buffer/range` unless all items lie in so many bytes."""
    format, shape, strides, offset = layout
    low, high = (0, 0) if 0 in shape else extent(format, shape, strides)
    if offset + low < 0 or offset + high > size:
        raise Failure("buffer/range", "items lie from byte %d to %d of a segment of %d bytes" % (offset + low, offset + high, size))


def face(mapping, fields, format, shape, strides, offset):
    """The array over a mapping: the very one that crossed, where it is still there, or a new one."""
    kind = (fields.get("language"), fields.get("type"))
    reference = mapping.faces.get(face_key((format, shape, strides, offset), kind))
    known = reference and reference()
    if known is not None:
        look = look_at(known)
        if look.mapping is mapping and shape_key(look) == (format, shape, strides, offset):
            return known
    return new_array(mapping, fields, format, shape, strides, offset)


def read_long(tag, fields, receiving):
    """Bytes or a text that came in a segment, which is done with at once."""
    if not {"owner", "generation", "ref", "segment", "length"} <= fields.keys() <= LONG_FIELDS:
        raise unreadable("%s has owner, generation, ref, segment and length, got %.200s", tag, kernel.short_repr(fields))
    key, where = segment_key(fields, receiving), text_of(fields, "segment", "")
    length, offset = whole_number(fields, "length", 0), whole_number(fields, "offset", 0)
    if receiving.listed[key] is None:
        own_segment(key, where)
    descriptor, size = open_segment(where)
    try:
        check_range(("uint8", (length,), (1,), offset), size)
        data = read_all(descriptor, length, offset)
    finally:
        os.close(descriptor)
    receiving.heavy = receiving.heavy or length >= PROMPT
    if tag == "Bytes":
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise unreadable("a Text is not UTF-8 at byte %d", error.start) from None


LONG_FIELDS = {"owner", "generation", "ref", "segment", "length", "offset"}


def read_all(descriptor, length, offset):
    parts = []
    while length:
        part = os.pread(descriptor, min(length, 1 << 30), offset)
        if not part:
            raise Failure("buffer/range", "a segment ends %d bytes before its contents do" % length)
        parts.append(part)
        length, offset = length - len(part), offset + len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


# ------------------------------------------------------------------------------------------------- made in memory


def empty(shape, format="float64", mutable=False, name=None):
    """An array of zeros in a segment: it crosses without a copy. With `mutable` all who have it see each other's writes."""
    if type(format) is not str and numpy() is not None:
        format = numpy().dtype(format).name
    if type(format) is not str or format not in FORMATS:
        raise ValueError("format is one of %s, got %.80r" % (", ".join(FORMATS), format))
    shape = tuple(map(index, shape if hasattr(shape, "__iter__") else (shape,)))
    if len(shape) > RANK or min(shape, default=0) < 0:
        raise ValueError("a shape is 0 to %d whole numbers from 0 on, got %.200r" % (RANK, shape))
    if size_of(format, shape) >= HIGHEST:
        raise ValueError("an array has less than 2^63 bytes, got the shape %.200r" % (shape,))
    strides, size = plain_strides(format, shape), size_of(format, shape)
    if not size or State.segments is None or State.forked:
        if mutable and size:
            raise Failure("buffer/full", "this process has no shared memory")
        return array_over(bytearray(size), format, shape, strides, 0, name)
    mapping = new_home(size, mutable)
    mapping.whole, mapping.name = (format, shape, strides, 0), name
    return array_over(mapping, format, shape, strides, 0, name)


def new_home(size, mutable):
    """A mapping of a new segment of zeros."""
    made = []

    def fill(file, descriptor, new):
        if new:
            os.posix_fallocate(descriptor, 0, file.size)
        else:
            write_zeros(descriptor, 0, file.size)
        made.append(map_file(descriptor, file.size, mmap.MAP_SHARED))

    segment = make_segment(size, fill)
    mapping = made[-1]
    segment.mutable = mapping.mutable = mutable
    mapping.segment, mapping.home, mapping.faces = segment, True, {}
    segment.home = kernel._weakref.ref(mapping)
    return mapping


def array(data, format=None, mutable=False, name=None):
    """An array in a segment with a copy of what is given: an array, or numbers in lists of lists."""
    module = numpy()
    if module is not None:
        source = module.asarray(data) if format is None else module.asarray(data, DTYPES.get(format, format))
        format = format_of(memoryview(source))[0]
        if format is None:
            raise TypeError("an array in a segment has numbers as items, got %s" % source.dtype)
        result = empty(source.shape, format, mutable, name)
        module.copyto(result, source)
        return result
    return array_without_numpy(data, format, mutable, name)


def array_without_numpy(data, format, mutable, name):
    import struct

    if isinstance(data, (list, tuple)):
        shape, items = flatten(data)
        format = format or format_for(items)
    else:
        look = look_at(data)
        shape, items = look.shape, numbers_in(look)
        format = format or look.format
    letters = FORMATS[format][1]
    if len(letters) == 2:
        items = [part for item in items for part in (complex(item).real, complex(item).imag)]
    packed = struct.pack("<%d%s" % (len(items), letters[0]), *items)
    result = empty(shape, format, mutable, name)
    if packed:
        (result._memory if type(result) is View else result.cast("B"))[: len(packed)] = packed
    return result


def numbers_in(look):
    items = look.value.tolist() if type(look.value) is View else look.view.tolist()
    return flatten(items)[1] if look.shape else [items]


def flatten(items):
    """The shape and the numbers of lists in lists."""
    shape, level = [], list(items)
    shape.append(len(level))
    while level and isinstance(level[0], (list, tuple)):
        if {len(one) if isinstance(one, (list, tuple)) else -1 for one in level} != {len(level[0])}:
            raise ValueError("lists of an array have one length at each depth")
        shape.append(len(level[0]))
        level = [item for one in level for item in one]
    return tuple(shape), level


def format_for(items):
    kinds = set(map(type, items))
    if kinds <= {bool} and kinds:
        return "bool"
    return "complex128" if complex in kinds else "float64" if float in kinds or not kinds else "int64"


def share(value, mutable=False, name=None):
    """The array in a segment: itself where it lies in one already, or a copy."""
    look = look_at(value)
    mapping = look.mapping
    if mapping is not None and mapping.home and mapping.mutable == mutable:
        if name is not None:
            mapping.whole, mapping.name = shape_key(look), name
        return value
    if look.view is None:
        result = empty(look.shape, look.format, mutable, name or look.name)
        target = result.reshape(-1).view("u1") if numpy() else result.cast("B")
        target[:] = memoryview(pixels(value))
        return result
    return array(look.array if look.array is not None else value, look.format, mutable, name)


# ----------------------------------------------------------------------------------------------------------- fork


class Fork:
    """The mappings that parent and copy still share, though the copy must not write there."""

    shared = []


def before_fork():
    """Seals what is still written: parent and copy then write each for itself, and the file keeps what it was at this moment."""
    kernel.TABLE.acquire()
    Fork.shared = []
    for mapping in living_mappings():
        if mapping.segment is not None and not mapping.private and not mapping.mutable and Parts.mmap:
            try:
                replace(mapping, seal(mapping.segment))
            except OSError:  # somebody took the file away
                Fork.shared.append(mapping)


def after_fork_in_parent():
    Fork.shared = []
    kernel.TABLE.release()


def after_fork_in_child():
    """The parent's files are none of ours."""
    for file in FILES.values():
        file.memory = None
    FILES.clear()
    for mapping in Fork.shared:
        contents = mapping[:]
        map_over(mapping, -1, mapping.size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        mapping[:] = contents
        mapping.private = True
    Fork.shared = []


os.register_at_fork(before=before_fork, after_in_parent=after_fork_in_parent, after_in_child=after_fork_in_child)
kernel.OWN_FILES.add(__file__)
kernel.USERS.update([method.__code__ for method in vars(View).values() if hasattr(method, "__code__")])  # loops that may take long
