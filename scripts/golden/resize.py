"""Images of another size, and padding with a tensor's own elements."""

import torch.nn.functional as F

from golden import case, uniform, write

SIZES = {"up": (7, 9), "down": (2, 3), "mixed": (1, 8), "same": (4, 5)}

for name, size in SIZES.items():
    for shape in [(2, 1, 4, 5), (9, 1, 1, 2)] if name == "mixed" else [(1, 2, 4, 5)]:
        case(f"resize_{name}", lambda x: F.interpolate(x, size, mode="bilinear"), uniform(*shape))
        case(f"resize_{name}_corners", lambda x: F.interpolate(x, size, mode="bilinear", align_corners=True),
             uniform(*shape))
        case(f"resize_{name}_nearest", lambda x: F.interpolate(x, size, mode="nearest"), uniform(*shape))
case("resize_up", lambda x: F.interpolate(x, (7, 9), mode="bilinear"), uniform(0, 2, 4, 5))

case("pad_reflect", lambda x: F.pad(x, (2, 3, 1, 2), mode="reflect"), uniform(2, 1, 4, 5))
case("pad_reflect", lambda x: F.pad(x, (2, 3, 1, 2), mode="reflect"), uniform(1, 1, 3, 4))
case("pad_edge", lambda x: F.pad(x, (2, 3, 1, 2), mode="replicate"), uniform(2, 1, 4, 5))
case("pad_edge", lambda x: F.pad(x, (2, 3, 1, 2), mode="replicate"), uniform(1, 1, 1, 1))

case("resize_up_nearest", lambda x: F.interpolate(x, (7, 9), mode="nearest"), uniform(0, 2, 4, 5))
case("pad_reflect", lambda x: F.pad(x, (2, 3, 1, 2), mode="reflect"), uniform(0, 2, 4, 5))
case("pad_edge", lambda x: F.pad(x, (2, 3, 1, 2), mode="replicate"), uniform(0, 2, 4, 5))

write("resize")
