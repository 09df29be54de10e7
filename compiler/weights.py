"""Weights: arrays that a program holds instead of taking them as arguments, from memory or mapped from files.

    exe = mlc.compile(predict, mlc.spec(("b", 784)), constants={"parameters": "model.safetensors"})
    exe = mlc.compile("model.mlir", constants="model.safetensors")

A constant replaces the argument of its name, or gives an `nd.resource` of its name its data. Arrays are used where they
lie, without a copy, and are made read-only, so that a later change is an error and not a stale result. Files of the
formats npz (uncompressed) and safetensors are memory-mapped: pages are read when they are used.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, SSAValue

from ..dialects.errors import CompileError
from ..dialects.nd.resource import Resource, ResourceAttr, ResourceOp, content_hash, data_of, keep
from ..dialects.nd.types import NUMPY, dtype_of, element, shape_of, tensor
from ..runtime.abi import numpy_named
from ..runtime.prepared import release

Arrays = Mapping[str, np.ndarray[Any, Any]]

SAFETENSORS = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
"""Element types of the safetensors format by their NumPy (or ml_dtypes) names."""


def load(path: str | Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of an .npz or .safetensors file by name, read-only, mapped where the file allows it.

    Raises CompileError if the file is missing, of another format, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise CompileError(f"constants: expected a file of weights, found no file {path}")
    readers = {".npz": _npz, ".safetensors": _safetensors}
    if (reader := readers.get(path.suffix)) is None:
        raise CompileError(f"constants: expected a file that ends in {' or '.join(readers)}, found {path.name}")
    try:
        return reader(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise CompileError(f"constants: cannot read {path.name}: {error}") from None


def _npz(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Members that are stored as they are get mapped; compressed ones are read."""
    out: dict[str, np.ndarray[Any, Any]] = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if info.compress_type != zipfile.ZIP_STORED:
                with archive.open(info) as member:
                    out[name] = np.lib.format.read_array(member, allow_pickle=False)
                continue
            file.seek(info.header_offset)
            local = file.read(30)  # the fixed part of a local header; name and extra field follow
            if local[:4] != b"PK\x03\x04":
                raise ValueError(f"{name}: expected the header of a member, found other bytes")
            file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = header(file)
            if dtype.hasobject:
                raise ValueError(f"{name}: expected numbers, found objects")
            out[name] = _mapped(path, file.tell(), dtype, shape, "F" if fortran else "C")
    return out


def _safetensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """https://github.com/huggingface/safetensors: length of the header, header in JSON, bytes."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        header = json.loads(file.read(length))
    out: dict[str, np.ndarray[Any, Any]] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if (kind := SAFETENSORS.get(entry["dtype"])) is None:
            raise ValueError(f"{name}: expected one of {', '.join(SAFETENSORS)}, found {entry['dtype']}")
        dtype, shape = numpy_named(kind), tuple(entry["shape"])
        start, end = entry["data_offsets"]
        if end - start != int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
            raise ValueError(f"{name}: expected as many bytes as {kind}{list(shape)} takes, found {end - start}")
        out[name] = _mapped(path, 8 + length + start, dtype, shape, "C")
    return out


def _mapped(path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...], order: Any) -> Any:
    if 0 in shape:
        return np.empty(shape, dtype)
    if offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize > path.stat().st_size:
        raise ValueError("the file is cut")
    return np.memmap(path, dtype, "r", offset, shape, order)


def constants_of(given: Any) -> dict[str, Any]:
    """What `constants=` names: a mapping, whose values may be files of a tree's arrays, or a file of all."""
    if isinstance(given, str | Path):
        return dict(load(given))
    return {name: load(x) if isinstance(x, str | Path) else x for name, x in given.items()}


def frozen(x: Any) -> np.ndarray[Any, Any]:
    """An array that nobody writes to any more: itself, made read-only with what it views, or a copy where its memory is
    not NumPy's own or lies in another order."""
    array = np.asarray(x)
    base: Any = array
    while isinstance(base, np.ndarray):
        base.flags.writeable = False
        base = base.base
    return array


def bind(f: FuncOp, constants: Arrays) -> None:
    """Make constants of the arguments that are so named, and give the resources that are so named their data.

    Raises CompileError for a name that the program does not have, a wrong shape or type, or other data than a
    resource's hash says.
    """
    arguments = {a.name_hint: a for a in f.body.block.args if a.name_hint}
    resources: dict[str, list[ResourceOp]] = {}
    for op in f.walk():
        if isinstance(op, ResourceOp):
            resources.setdefault(op.data.data.name, []).append(op)
    for name, given in constants.items():
        array = np.asarray(given)
        if name in resources:
            for op in resources[name]:
                _give(op, array)
        elif name in arguments:
            replace(f, arguments[name], name, array)
        else:
            known = ", ".join([*map(str, arguments), *resources]) or "none"
            raise CompileError(f"constants: expected names of arguments or resources ({known}), found {name!r}")


def _check(name: str, array: np.ndarray[Any, Any], value: SSAValue) -> None:
    expected = NUMPY[element(value.type)]
    if array.shape != shape_of(value.type) or array.dtype != expected:
        found = f"{array.dtype.name}{list(array.shape)}"
        message = f"constants: {name}: expected {expected.name}{list(shape_of(value.type))}, found {found}"
        raise CompileError(message, value.location if isinstance(value, BlockArgument) else None)


def _give(op: ResourceOp, array: np.ndarray[Any, Any]) -> None:
    data = op.data.data
    _check(data.name, array, op.result)
    if (found := content_hash(array)) != data.hash:
        message = f"constants: {data.name}: expected the data of hash {data.hash}, found {found}"
        raise CompileError(message, op.location)
    kept = keep(frozen(array), data.name).data
    release(array)
    op.properties["data"] = ResourceAttr(Resource(data.name, data.hash, kept.array))


def replace(f: FuncOp, argument: BlockArgument, name: str, array: np.ndarray[Any, Any]) -> None:
    """An argument becomes a resource at the start of the function."""
    block = f.body.block
    _check(name, array, argument)
    t = tensor(array.shape, dtype_of(array))
    op = ResourceOp.create(
        result_types=[t],
        properties={"data": keep(frozen(array), name), "shape": t},
        location=argument.location,
    )
    op.results[0].name_hint = name
    release(array)  # it was read to be hashed
    first = block.first_op
    assert first is not None
    block.insert_op_before(op, first)
    argument.replace_all_uses_with(op.results[0])
    if f.arg_attrs is not None:
        kept = [a for k, a in enumerate(f.arg_attrs.data) if k != argument.index]
        f.properties["arg_attrs"] = ArrayAttr(kept)
    block.erase_arg(argument)
    f.properties["function_type"] = FunctionType.from_lists(list(block.arg_types), f.function_type.outputs.data)


def resources_of(module: ModuleOp) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a module's resources by hash. Raises CompileError for one whose data nothing gave."""
    return {op.data.data.hash: data_of(op) for op in module.walk() if isinstance(op, ResourceOp)}
