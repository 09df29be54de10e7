"""`"file":1:2 to 3:4`, the location of a range, which xDSL does not have."""

from __future__ import annotations

from xdsl.dialects.builtin import IntAttr, StringAttr
from xdsl.ir import BuiltinAttribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition, param_def
from xdsl.printer import Printer


@irdl_attr_definition
class FileLineColRange(ParametrizedAttribute, BuiltinAttribute):
    """A place from a line and column to another."""

    name = "builtin.file_line_col_range"

    filename: StringAttr = param_def()
    line: IntAttr = param_def()
    column: IntAttr = param_def()
    end_line: IntAttr = param_def()
    end_column: IntAttr = param_def()

    def print_builtin(self, printer: Printer) -> None:
        with printer.in_location():
            printer.print_attribute(self.filename)
            same = self.end_line == self.line
            end = f"{'' if same else self.end_line.data}:{self.end_column.data}"
            printer.print_string(f":{self.line.data}:{self.column.data} to {end}")
