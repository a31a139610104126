#!/usr/bin/env python3
"""An independent reader and writer of safetensors, to check Splot's against; needs nothing but Python.

  scripts/safetensors.py show FILE     a line per tensor, the metadata, and the hash that weights_sha256() gives
  scripts/safetensors.py golden FILE   writes the small file that the tests read
"""
import hashlib
import json
import struct
import sys

SIZES = {"BOOL": 1, "U8": 1, "I32": 4, "I64": 8, "BF16": 2, "F32": 4, "F64": 8}


def once(pairs):
    keys = [key for key, _ in pairs]
    assert len(set(keys)) == len(keys), f"a key is there twice: {keys}"
    return dict(pairs)


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack_from("<Q", raw)
    assert length % 8 == 0, "Splot pads the header to a multiple of 8"
    header = json.loads(raw[8 : 8 + length].decode("utf-8"), object_pairs_hook=once)
    metadata = header.pop("__metadata__", {})
    data = raw[8 + length :]
    tensors, covered = {}, 0
    for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = info["data_offsets"]
        size = SIZES[info["dtype"]]
        for n in info["shape"]:
            size *= n
        assert begin == covered and end - begin == size, name
        covered = end
        tensors[name] = (info["dtype"], info["shape"], data[begin:end])
    assert covered == len(data), "bytes that belong to no tensor"
    return tensors, metadata


def weights_sha256(tensors):
    digest = hashlib.sha256()
    for name, (dtype, shape, data) in sorted(tensors.items(), key=lambda item: item[0].encode()):
        for text in (name.encode(), dtype.encode()):
            digest.update(struct.pack("<Q", len(text)) + text)
        digest.update(struct.pack(f"<{1 + len(shape)}Q", len(shape), *shape) + data)
    return digest.hexdigest()


def write(path, tensors, metadata):
    header, body = {"__metadata__": metadata}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def golden():
    """Every element type; an empty, a 0-d and an unaligned tensor; names beyond ASCII. Not in the order of names."""
    return {
        "z.bytes": ("U8", [3], bytes([0, 7, 255])),
        "layer.0.weight": ("F32", [2, 3], struct.pack("<6f", 1.5, -2.0, 0.0, 3.25, float("inf"), -0.0)),
        "layer.0.bias": ("F64", [2], struct.pack("<2d", 0.1, -1e300)),
        "step": ("I64", [], struct.pack("<q", -(2**40))),
        "counts": ("I32", [2, 1], struct.pack("<2i", 5, -6)),
        "mask": ("BOOL", [2, 2], bytes([1, 0, 0, 1])),
        "half": ("BF16", [2], struct.pack("<2H", 0x3F80, 0xC040)),
        "none": ("F32", [0, 4], b""),
        "zażółć": ("F32", [1], struct.pack("<f", 42.0)),
    }


def main():
    if sys.argv[1:2] == ["golden"] and len(sys.argv) == 3:
        write(sys.argv[2], golden(), {"made by": "scripts/safetensors.py", "żółw": "\"quoted\"\n"})
    elif sys.argv[1:2] == ["show"] and len(sys.argv) == 3:
        tensors, metadata = read(sys.argv[2])
        for name in sorted(tensors):
            dtype, shape, data = tensors[name]
            print(name, dtype, shape, hashlib.sha256(data).hexdigest()[:16])
        print(json.dumps(metadata, sort_keys=True, ensure_ascii=False))
        print(weights_sha256(tensors))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
