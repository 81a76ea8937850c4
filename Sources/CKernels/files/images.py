"""Pictures as arrays, by Pillow: what `fetch-image`, `buffer.save` and the view `grayscale` of meta call."""

import _meta_kernel as kernel

NAMES = {"L": "ImageGray", "RGB": "ImageRGB", "RGBA": "ImageRGBA"}
MODES = {(2, 1): "L", (3, 3): "RGB", (3, 4): "RGBA"}  # by the rank and the samples of a pixel


def pillow():
    try:
        from PIL import Image
    except ModuleNotFoundError:
        import sys

        raise kernel.Failure(
            "buffer/pillow", "pictures need Pillow, which this Python does not have; install it with %s -m pip install pillow"
            % sys.executable) from None
    return Image


def load_image(path):
    """The picture in a file as an array in a segment: [height, width] of gray, or [height, width, 3 or 4] with colours."""
    with pillow().open(path) as image:
        if image.mode not in NAMES:
            image = image.convert("RGBA" if "transparency" in image.info or image.mode in ("LA", "PA", "La", "RGBa") else "RGB")
        return kernel.buffers().share(image)


def picture(array):
    """A picture of Pillow's with the pixels of an array of uint8."""
    memory = memoryview(array)
    rank = memory.ndim
    mode = MODES.get((rank, memory.shape[2] if rank == 3 else 1))
    if mode is None or memory.format != "B" or 0 in memory.shape:
        raise ValueError("a picture is uint8 of the shape [height, width], or [height, width, 3 or 4], got %s %s" % (
            memory.format, list(memory.shape)))
    return pillow().frombytes(mode, (memory.shape[1], memory.shape[0]), memory.tobytes())


def save_image(array, path):
    """Writes an array as a picture, in the format that the path's ending names."""
    picture(array).save(path)
    return path


def grayscale(array):
    """The luma of a picture's pixels (ITU-R 601-2), as an array of [height, width]."""
    return kernel.buffers().share(picture(array).convert("L"))
