"""A table from one Python to another by Arrow's IPC in shared memory. Usage: ipc.py arrow|lists ROWS COUNT; prints milliseconds.

The file in /dev/shm is a new one each time, as a new value's is. Its name goes through a pipe; the reader maps it, reads the
first, the middle and the last cell of each column, and answers with them.
"""

import multiprocessing
import os
import statistics
import sys
import time

import pyarrow

NAMES = ["int", "float", "text"]
FILE = f"/dev/shm/meta-bench-{os.getpid()}"


def serve(pipe):
    while True:
        with pyarrow.memory_map(pipe.recv()) as source:
            table = pyarrow.ipc.open_file(source).read_all()
            pipe.send(cells(table))


def cells(table):
    return [column[row].as_py() for column in table.columns for row in (0, len(column) // 2, len(column) - 1)]


def main():
    source, rows, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    lists = [list(range(rows)), [row / 2 for row in range(rows)], [f"text {row}" for row in range(rows)]]
    arrays = [pyarrow.array(values) for values in lists]
    here, there = multiprocessing.Pipe()
    multiprocessing.Process(target=serve, args=(there,), daemon=True).start()

    def turn():
        if source == "arrow":
            table = pyarrow.Table.from_arrays(arrays, NAMES)
        else:
            table = pyarrow.table(dict(zip(NAMES, lists)))
        with pyarrow.OSFile(FILE, "wb") as file, pyarrow.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        here.send(FILE)
        return here.recv()

    expected = [0, rows // 2, rows - 1, 0.0, rows // 2 / 2, (rows - 1) / 2, "text 0", f"text {rows // 2}", f"text {rows - 1}"]
    figures = []
    for _ in range(2 + count):
        start = time.perf_counter()
        found = turn()
        figures.append(time.perf_counter() - start)
        os.unlink(FILE)
        assert found == expected, found
    print(statistics.median(figures[2:]) * 1000)


if __name__ == "__main__":
    main()
