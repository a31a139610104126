"""Reductions."""

from golden import case, integers, uniform, write

case("sum", lambda x: x.sum((0, -1)), uniform(2, 3, 4))
case("sum", lambda x: x.sum((0, -1)), integers(2, 3, 4))
case("sum", lambda x: x.sum((0, -1)), uniform(2, 3, 0))

write("reductions")
