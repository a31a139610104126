"""Picking elements by index, and ordering them."""

import numpy as np
import torch
import torch.nn.functional as F

from golden import INFINITY, NAN, case, integers, uniform, write

ties = np.array([[2.0, 1.0, 2.0, 1.0, 3.0], [0.0, -0.0, 0.0, 5.0, 5.0]])
unusual = np.array([1.0, NAN, INFINITY, -1.0, NAN, -INFINITY, 0.0])
repeated = np.array([2, 0, 2, 1])
# Different in every place, so that no order changes within a step of a difference quotient.
apart = np.array([[0.5, -1.0, 2.0, 1.25], [3.0, 0.25, -0.75, -2.0], [1.0, 0.125, 1.5, -0.5]])

case("gather", lambda x, i: x.gather(1, i), uniform(3, 4), integers(3, 5, high=4))
case("gather", lambda x, i: x.gather(1, i), uniform(3, 4, 2), integers(2, 3, 1, high=4))
case("gather", lambda x, i: x.gather(1, i), integers(3, 4), integers(3, 1, high=4))
case("gather", lambda x, i: x.gather(1, i), uniform(3, 4), integers(3, 0, high=4))
case("gather_first", lambda x, i: x.gather(0, i), uniform(3, 4), integers(5, 4, high=3))
case("gather_first", lambda x, i: x.gather(0, i), uniform(3), integers(7, high=3))
case("gather_first", lambda x, i: x.gather(0, i), uniform(), integers(high=1))
case("scatter_add", lambda x, i, v: x.scatter_add(1, i, v), uniform(3, 4), integers(3, 6, high=4), uniform(3, 6))
case("scatter_add", lambda x, i, v: x.scatter_add(1, i, v), uniform(2, 3, 2), integers(1, 4, 2, high=3),
     uniform(1, 4, 2))
case("scatter_add", lambda x, i, v: x.scatter_add(1, i, v), integers(2, 3), integers(2, 4, high=3), integers(2, 4))
case("scatter_add", lambda x, i, v: x.scatter_add(1, i, v), uniform(2, 3), integers(2, 0, high=3), uniform(2, 0))
# PyTorch has no gradient where v is larger than the index.
case("scatter_add_part", lambda x, i, v: x.scatter_add(0, i, v), uniform(3, 4), integers(2, 3, high=3), uniform(4, 4),
     gradients=False)
case("scatter_add_first", lambda x, i, v: x.scatter_add(0, i, v), uniform(3, 4), integers(5, 4, high=3), uniform(5, 4))
case("index_select", lambda x, i: x.index_select(0, i), uniform(3, 4), repeated)
case("index_select", lambda x, i: x.index_select(0, i), uniform(3), repeated)
case("index_select", lambda x, i: x.index_select(0, i), integers(3, 2), repeated.astype(np.int32))
case("index_select", lambda x, i: x.index_select(0, i), uniform(3, 0), repeated)
case("index_select", lambda x, i: x.index_select(0, i), uniform(3, 2), repeated[:0])
case("index_select_inner", lambda x, i: x.index_select(1, i), uniform(2, 3, 2), repeated)
case("index_select_inner", lambda x, i: x.index_select(1, i), uniform(4, 3), repeated)
case("index_add", lambda x, i, v: x.index_add(0, i, v), uniform(3, 4), repeated, uniform(4, 4))
case("index_add", lambda x, i, v: x.index_add(0, i, v), integers(3), repeated, integers(4))
case("index_add", lambda x, i, v: x.index_add(0, i, v), uniform(3, 0), repeated, uniform(4, 0))
case("index_add_inner", lambda x, i, v: x.index_add(1, i, v), uniform(2, 3, 2), repeated, uniform(2, 4, 2))
case("one_hot", lambda i: F.one_hot(i, 5), integers(2, 3, high=5))
case("one_hot", lambda i: F.one_hot(i, 5), integers(high=5))
case("sort", lambda x: x.sort(stable=True), ties, smooth=False)
case("sort", lambda x: x.sort(stable=True), unusual, smooth=False)
case("sort", lambda x: x.sort(stable=True), integers(3, 4))
case("sort", lambda x: x.sort(stable=True), uniform(2, 0), smooth=False)
case("sort", lambda x: x.sort(stable=True), uniform(), smooth=False)
case("sort_descending", lambda x: x.sort(dim=0, descending=True, stable=True), ties.T, smooth=False)
case("sort_descending", lambda x: x.sort(dim=0, descending=True, stable=True), unusual, smooth=False)
case("sort_values", lambda x: x.sort(0).values, apart)
case("argsort", lambda x: x.argsort(1), apart, gradients=False)
case("topk", lambda x: x.topk(2), apart)
case("topk", lambda x: x.topk(2), apart[0])
case("topk_values", lambda x: x.topk(2).values, apart)
case("topk_smallest", lambda x: x.topk(2, 0, largest=False).values, apart)
case("topk_unusual", lambda x: x.topk(4).values, unusual, smooth=False)

write("indexing")
