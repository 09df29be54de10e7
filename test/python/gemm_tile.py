"""A kernel at the vector level that multiplies matrices with tensor cores, as text, for tests.

    text = GemmTile(4096, 4096, 4096).kernel()        func.func @f(%x: memref<..xbf16>, %w: .., %out: ..)

Each block has a tile of the result, each warp a part of it in registers. Tiles of the factors go through a ring of
`stages` in the block's memory by asynchronous copies, in 16 bytes whose place in a row depends on the row, so that
neither copies nor `ldmatrix` access a bank twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from launches import shared

CHUNK = 8
"""Elements of 16 bytes."""


@dataclass
class GemmTile:
    """Sizes of matrices, of a block's tile, of a warp's part; how many tiles the ring has."""

    m: int
    n: int
    k: int
    block: tuple[int, int, int] = (128, 128, 32)
    warp: tuple[int, int] = (64, 64)
    stages: int = 3
    lines: list[str] = field(default_factory=list[str])
    constants: dict[int, None] = field(default_factory=lambda: {0: None, 1: None})
    count: int = 0

    # ---- text
    def op(self, text: str) -> str:
        self.count += 1
        name = f"%v{self.count}"
        self.lines.append(f"{name} = {text}")
        return name

    def const(self, n: int) -> str:
        self.constants[n] = None
        return f"%c{n}"

    def calc(self, name: str, a: str, b: str | int) -> str:
        return self.op(f"arith.{name} {a}, {b if isinstance(b, str) else self.const(b)} : index")

    def add(self, first: str, *others: str | int) -> str:
        for other in others:
            first = self.calc("addi", first, other)
        return first

    def split(self, value: str, size: int) -> tuple[str, str]:
        return self.calc("divui", value, size), self.calc("remui", value, size)

    # ---- the kernel
    @property
    def warps(self) -> tuple[int, int]:
        return self.block[0] // self.warp[0], self.block[1] // self.warp[1]

    @property
    def threads(self) -> int:
        return 32 * self.warps[0] * self.warps[1]

    def kernel(self) -> str:
        (bm, bn, bk), stages = self.block, self.stages
        self.tiles = {"a": shared(f"{stages}x{bm}x{bk}xbf16"), "b": shared(f"{stages}x{bk}x{bn}xbf16")}
        self.lines += [f"%{word} = memref.alloc() : {kind}" for word, kind in self.tiles.items()]
        warp, self.lane = self.split("%t", 32)
        warp_row, warp_column = self.split(warp, self.warps[1])
        row, column = self.split("%block", self.n // bn)
        self.first = self.calc("muli", row, bm), self.calc("muli", column, bn)
        self.part = self.calc("muli", warp_row, self.warp[0]), self.calc("muli", warp_column, self.warp[1])
        groups = [self.copy(self.const(stage), self.const(stage * bk)) for stage in range(stages - 1)]
        self.store(self.loop(groups[-1]))
        matrices = f"%x: memref<{self.m}x{self.k}xbf16>, %w: memref<{self.k}x{self.n}xbf16>, "
        head = f"func.func @f({matrices}%out: memref<{self.m}x{self.n}xbf16>) {{".replace(
            "xbf16>", "xbf16> {llvm.noalias}"
        )
        grid, size = self.const(self.m // bm * (self.n // bn)), self.const(self.threads)
        launch = (
            f"gpu.launch blocks(%block, %by, %bz) in (%gx = {grid}, %gy = %c1, %gz = %c1) "
            f"threads(%t, %ty, %tz) in (%sx = {size}, %sy = %c1, %sz = %c1) {{"
        )
        constants = [f"%c{n} = arith.constant {n} : index" for n in sorted(self.constants)]
        return "\n".join([head, *constants, launch, *self.lines, "gpu.terminator", "}", "func.return", "}"])

    def place(self, row: str, chunk: str, width: int) -> str:
        """The column of a chunk in a row of `width` elements."""
        rows, chunks = max(1, 64 // width), min(CHUNK, width // CHUNK)
        key = self.calc("remui", self.calc("divui", row, rows) if rows > 1 else row, chunks)
        return self.calc("muli", self.calc("xori", chunk, key), CHUNK)

    def copy(self, stage: str, k: str) -> str:
        """Begin to copy both tiles at `k`; the group."""
        bm, bn, bk = self.block
        tokens: list[str] = []
        for word, rows, width in (("a", bm, bk), ("b", bk, bn)):
            row, chunk = self.split("%t", width // CHUNK)
            column = self.calc("muli", chunk, CHUNK)
            for start in range(0, rows, self.threads * CHUNK // width):
                at = self.add(row, start)
                if word == "a":
                    source, kind = f"%x[{self.add(self.first[0], at)}, {self.add(k, column)}]", f"{self.m}x{self.k}"
                else:
                    source, kind = f"%w[{self.add(k, at)}, {self.add(self.first[1], column)}]", f"{self.k}x{self.n}"
                target = f"%{word}[{stage}, {at}, {self.place(at, chunk, width)}]"
                types = f"memref<{kind}xbf16> to {self.tiles[word]}"
                tokens.append(self.op(f"nvgpu.device_async_copy {source}, {target}, {CHUNK} {{bypassL1}} : {types}"))
        return self.op(f"nvgpu.device_async_create_group {', '.join(tokens)}")

    def loop(self, group: str) -> str:
        """All products; the name of the sums, a vector of a warp's tiles of 16 x 8."""
        bk, ahead = self.block[2], self.stages - 1
        self.kind = f"vector<{self.warp[0] // 16}x{self.warp[1] // 8}x2x2xf32>"
        zeros = self.op(f"arith.constant dense<0.0> : {self.kind}")
        bounds = f"%k = %c0 to {self.const(self.k)} step {self.const(bk)}"
        token = "!nvgpu.device.async.token"
        self.lines.append(
            f"%sums, %last = scf.for {bounds} iter_args(%sum = {zeros}, %group = {group}) -> ({self.kind}, {token}) {{"
        )
        self.lines.append(f"nvgpu.device_async_wait %group {{numGroups = {ahead - 1} : i32}}")
        self.lines.append("gpu.barrier")
        step = self.calc("divui", "%k", bk)
        following = self.add("%k", ahead * bk)
        more = self.op(f"arith.cmpi ult, {following}, {self.const(self.k)} : index")
        chosen = self.op(f"scf.if {more} -> ({token}) {{")
        begun = self.copy(self.calc("remui", self.add(step, ahead), self.stages), following)
        self.lines += [f"scf.yield {begun} : {token}", "} else {"]
        self.lines += ["%none = nvgpu.device_async_create_group", f"scf.yield %none : {token}", "}"]
        sums = self.products(self.calc("remui", step, self.stages), "%sum")
        self.lines += [f"scf.yield {sums}, {chosen} : {self.kind}, {token}", "}"]
        return "%sums"

    def products(self, stage: str, sums: str) -> str:
        """The products of one stage of the ring; the name of the sums."""
        (_, bn, bk), (wm, wn) = self.block, self.warp
        half, low = self.split(self.lane, 16)
        a, b, c = "vector<4x2xbf16>", "vector<2x2xbf16>", "vector<2x2xf32>"
        for k in range(0, bk, 16):
            lefts: list[str] = []
            rights: list[str] = []
            for i in range(0, wm, 16):
                row = self.add(self.part[0], low, i)
                place = f"%a[{stage}, {row}, {self.place(row, self.add(half, k // CHUNK), bk)}]"
                words = "{numTiles = 4 : i32, transpose = false}"
                lefts.append(self.op(f"nvgpu.ldmatrix {place} {words} : {self.tiles['a']} -> {a}"))
            for j in range(0, wn, 16):
                row = self.add(low, k)
                chunk = self.add(self.calc("divui", self.part[1], CHUNK), half, j // CHUNK)
                words = "{numTiles = 4 : i32, transpose = true}"
                place = f"%b[{stage}, {row}, {self.place(row, chunk, bn)}]"
                both = self.op(f"nvgpu.ldmatrix {place} {words} : {self.tiles['b']} -> {a}")
                both = self.op(f"vector.shape_cast {both} : {a} to vector<2x2x2xbf16>")
                rights += [self.op(f"vector.extract {both}[{h}] : {b} from vector<2x2x2xbf16>") for h in range(2)]
            for i, left in enumerate(lefts):
                for j, right in enumerate(rights):
                    sum_ = self.op(f"vector.extract {sums}[{i}, {j}] : {c} from {self.kind}")
                    text = (
                        f"nvgpu.mma.sync({left}, {right}, {sum_}) {{mmaShape = [16, 8, 16]}} : ({a}, {b}, {c}) -> {c}"
                    )
                    sums = self.op(f"vector.insert {self.op(text)}, {sums} [{i}, {j}] : {c} into {self.kind}")
        return sums

    def store(self, sums: str) -> None:
        row, pair = self.split(self.lane, 4)
        row = self.add(self.first[0], self.part[0], row)
        column = self.add(self.first[1], self.part[1], self.calc("muli", pair, 2))
        for i in range(self.warp[0] // 16):
            for j in range(self.warp[1] // 8):
                for r in range(2):
                    found = self.op(f"vector.extract {sums}[{i}, {j}, {r}] : vector<2xf32> from {self.kind}")
                    found = self.op(f"arith.truncf {found} : vector<2xf32> to vector<2xbf16>")
                    target = f"%out[{self.add(row, 16 * i + 8 * r)}, {self.add(column, 8 * j)}]"
                    types = f"vector<2xbf16>, memref<{self.m}x{self.n}xbf16>"
                    self.lines.append(f"vector.transfer_write {found}, {target} {{in_bounds = [true]}} : {types}")
