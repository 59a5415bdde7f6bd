from setuptools import Extension, setup

setup(ext_modules=[Extension("nhipcau_fast", ["nhipcau_fast.c"], extra_compile_args=["-std=c11"])], py_modules=[])
