from setuptools import Extension, setup

# -ffp-contract: no fused multiply-add, so that sums are the same as Python's.
FLAGS = ["-std=c11", "-O3", "-ffp-contract=off"]  # named here, as a CFLAGS of the environment replaces Python's own
SOURCES = ["nhipcau_fast.c", "feedback.c", "receive.c"]
HEADERS = ["feedback.h", "receive.h"]
setup(ext_modules=[Extension("nhipcau_fast", SOURCES, depends=HEADERS, extra_compile_args=FLAGS)], py_modules=[])
