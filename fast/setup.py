from setuptools import Extension, setup

# No fused multiply-add: the same sums as Python's.
FLAGS = ["-std=c11", "-ffp-contract=off"]
SOURCES = ["nhipcau_fast.c", "feedback.c"]
setup(ext_modules=[Extension("nhipcau_fast", SOURCES, depends=["feedback.h"], extra_compile_args=FLAGS)], py_modules=[])
