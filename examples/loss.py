"""A loss and its gradient as one program. The README shows it at every level.

python examples/loss.py | mlc-opt --pipeline=loop
"""

import mlc
import mlc.numpy as mnp


def loss(x: mlc.Array, w: mlc.Array) -> mlc.Array:
    return mnp.tanh(x @ w).sum()


if __name__ == "__main__":
    gradient = mlc.jit(mlc.value_and_grad(loss, argnums=1))
    print(gradient.lower(mlc.spec((4, 8)), mlc.spec((8, 16))), end="")
