"""Lets readers be imported without PyTorch, whose wheel is larger than everything else together.

lhotse and `datasets` import torch for tensors and data loaders. Reading files uses NumPy alone, so the names
that they import are enough: each is an empty class, and whatever really needs PyTorch fails. Where PyTorch is
installed it is used.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

LIBRARIES = ("torch", "torchcodec")


def named(name):
    """An empty class, which has an empty class for every name that is asked of it or of its instances."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Name(name, (), {"__getattr__": lambda self, name: named(name)})


class Name(type):
    """As a decorator it changes nothing."""

    def __getattr__(cls, name):
        return named(name)

    def __call__(cls, *args, **kwargs):
        is_decorator = len(args) == 1 and callable(args[0]) and not kwargs
        return args[0] if is_decorator else super().__call__(*args, **kwargs)


class Module(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        return named(name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds any module of the libraries; it is asked last."""

    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in LIBRARIES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Module(spec.name)

    def exec_module(self, module):
        pass


def install():
    """Must be called before a reader is imported."""
    if importlib.util.find_spec(LIBRARIES[0]) is None:
        sys.meta_path.append(Finder())
