"""Kernels of the loop level that read and write at computed positions."""

from __future__ import annotations

CLAMP = """
    %zero = arith.constant 0 : i32
    %most = arith.constant 5 : i32
    %low = arith.maxsi %k, %zero : i32
    %in = arith.minsi %low, %most : i32
    %p = arith.index_cast %in : i32 to index"""


def gathers(element: str) -> str:
    """Rows, columns, and elements beside a coordinate; the table's strides are known at run time only."""
    layout = "{mlc.layout = strided<[?, ?]>}"
    return f"""func.func @f(%T: tensor<6x19x{element}> {layout}, %K: tensor<11xi32>)
        -> (tensor<11x19x{element}>, tensor<19x11x{element}>, tensor<11x3x{element}>) {{
      %rows = loop.stage rows [i: 11, j: 19] (%k = %K[i], %t = %T[...]) -> [i, j] {{{CLAMP}
        %c = loop.index j : index
        %v = loop.load %t[%p, %c]
        loop.yield %v : {element}
      }}
      %columns = loop.stage columns [j: 19, i: 11] (%k = %K[i], %t = %T[...]) -> [j, i] {{{CLAMP}
        %c = loop.index -j + 18 : index
        %v = loop.load %t[%p, %c]
        loop.yield %v : {element}
      }}
      %windows = loop.stage windows [i: 11, j: 3] (%k = %K[i], %t = %T[...]) -> [i, j] {{{CLAMP}
        %c = loop.index 2 * j : index
        %d = arith.addi %p, %c : index
        %v = loop.load %t[%p, %d]
        loop.yield %v : {element}
      }}
      func.return %rows, %columns, %windows
        : tensor<11x19x{element}>, tensor<19x11x{element}>, tensor<11x3x{element}>
    }}"""


CHAINED = f"""func.func @f(%T: tensor<?xf32, #nd.sym<n>>, %K: tensor<6xi32>, %J: tensor<?xi32, #nd.sym<n>>)
    -> tensor<?xf32, #nd.sym<n>> {{
  loop.size n = %T, 0
  %e = loop.stage e [i: n] (%a = %T[i]) -> [i] {{
    %x = math.exp %a : f32
    loop.yield %x : f32
  }}
  %r = loop.stage r [i: n] (%k = %J[i], %u = %K[...], %t = %e[...], %own = %e[i]) -> [i] {{{CLAMP}
    %q = loop.load %u[%p]
    %last = loop.index (n - 1) : index
    %w = arith.index_cast %q : i32 to index
    %inside = arith.minui %w, %last : index
    %v = loop.load %t[%inside]
    %s = arith.addf %v, %own : f32
    loop.yield %s : f32
  }}
  func.return %r : tensor<?xf32, #nd.sym<n>>
}}"""


def scatters(element: str, kind: str) -> str:
    """Rows into a buffer of the kernel, elements into an argument's, with some left out."""
    return f"""func.func @f(%x: tensor<6x70x{element}>, %u: tensor<11x70x{element}>, %K: tensor<11xi32>)
        -> (tensor<6x70x{element}>, tensor<6x70x{element}>) {{
      %base = loop.stage base [i: 6, j: 70] (%a = %x[i, j]) -> [i, j] {{ loop.yield %a : {element} }}
      %rows = loop.scatter {kind} rows [i: 11, j: 70] (%k = %K[i], %v = %u[i, j]) into %base {{{CLAMP}
        %c = loop.index j : index
        %ok = arith.cmpi sge, %k, %zero : i32
        loop.yield %v, %p, %c, %ok : {element}, index, index, i1
      }}
      %windows = loop.scatter {kind} windows [i: 11, j: 33] (%k = %K[i], %v = %u[i, j]) into %x {{{CLAMP}
        %c = loop.index j : index
        %d = arith.addi %p, %c : index
        loop.yield %v, %p, %d : {element}, index, index
      }}
      func.return %rows, %windows : tensor<6x70x{element}>, tensor<6x70x{element}>
    }}"""


SIZES = (1, 4, 9)


def cases(case: type) -> list[object]:
    out: list[object] = []
    for element in ("f32", "i1", "i64", "i8"):
        text = gathers(element)
        out.append(case(f"gathers_{element}", text))
        for axes in ("i", "j", "i,j"):
            name = f"gathers_{axes.replace(',', '')}_{element}"
            out.append(case(name, text, f"loop-vectorize{{axes={axes}}}"))
    tiled = "loop-tile{axis=i size=4},loop-tile{axis=j size=16 only=rows},loop-vectorize{axes=i,j}"
    out.append(case("gathers_tiled", gathers("f64"), tiled))
    out.append(case("gathers_chained", CHAINED, "", SIZES))
    out.append(case("gathers_chained_tiled", CHAINED, "loop-tile{axis=i size=4},loop-vectorize{axes=i}", SIZES))
    for element, kind in (("f32", "add"), ("f32", "set"), ("f64", "max"), ("i32", "mul"), ("i1", "or"), ("i8", "min")):
        out.append(case(f"scatters_{kind}_{element}", scatters(element, kind)))
    return out
