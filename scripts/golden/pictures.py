"""Pictures as PIL decodes and resizes them, in tests/golden/pictures. Needs python3-pil too."""

import io
import json
import pathlib

import numpy as np
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "pictures"
FOLDER.mkdir(exist_ok=True)
random = np.random.default_rng(7)


def smooth(width, height, channels):
    """Waves and some noise: JPEG keeps most of it."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    waves = 128 + 60 * np.sin(x / 3 + c) + 50 * np.cos(y / 4 - c) + random.integers(-15, 16, (height, width, channels))
    return np.clip(waves, 0, 255).astype(np.uint8)


def flat(image):
    return {"width": image.width, "height": image.height, "hex": np.asarray(image).tobytes().hex()}


decoded = {}


def save(name, image, **options):
    image.save(FOLDER / name, **options)
    upright = ImageOps.exif_transpose(Image.open(FOLDER / name))
    decoded[name] = {"rgb": flat(upright.convert("RGB")), "grey": flat(upright.convert("L"))}


color = Image.fromarray(smooth(19, 13, 3))
grey = Image.fromarray(smooth(17, 11, 1)[:, :, 0])
save("420.jpg", color, quality=75, subsampling=2)
save("422.jpg", color, quality=60, subsampling=1)
save("444.jpg", color, quality=95, subsampling=0)
save("progressive.jpg", color, quality=75, progressive=True)
save("grey.jpg", grey, quality=80)
save("grey_progressive.jpg", grey, quality=80, progressive=True)
save("cmyk.jpg", Image.fromarray(smooth(19, 13, 4), "CMYK"), quality=90)
save("one.jpg", color.crop((0, 0, 1, 1)), quality=90)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"turned_{orientation}.jpg", color, quality=75, exif=exif)
save("rgb.png", color)
save("rgba.png", Image.fromarray(smooth(7, 5, 4), "RGBA"))
save("grey_alpha.png", Image.fromarray(smooth(7, 5, 2), "LA"))
palette = color.quantize(32)
save("palette.png", palette)
save("palette_transparent.png", palette, transparency=3)
save("palette_16_colours.png", color.quantize(16), bits=4)
save("two_levels.png", grey.convert("1"))

resized = []
for source in (color, grey, Image.fromarray(random.integers(0, 256, (9, 31, 3), dtype=np.uint8))):
    for size in [(19, 13), (8, 8), (40, 29), (5, 26), (1, 1), (3, 2), (64, 1), (31, 4)]:
        resized.append({"channels": len(source.getbands()), "from": flat(source),
                        "to": flat(source.resize(size, Image.BILINEAR))})

with open(FOLDER / "pictures.json", "w") as file:
    json.dump({"decoded": decoded, "resized": resized}, file, indent=0)
    file.write("\n")
