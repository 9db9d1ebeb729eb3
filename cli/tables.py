"""Results as aligned columns, for people at a terminal."""

from collections.abc import Collection, Sequence


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, right: Collection[str] = ()) -> str:
    """Return the rows under their headers, columns aligned; those named in `right` (numbers) at their right edge."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(headers), *cells]) for i in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        placed = (
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, row, widths, strict=True)
        )
        return "  ".join(placed).rstrip() + "\n"

    return line(headers) + line(["-" * width for width in widths]) + "".join(map(line, cells))
