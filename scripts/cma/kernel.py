#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Configures and builds the kernels of this project; see lab/kbuild.py.

    kernel.py build NAME...     kernel, modules and device trees
    kernel.py config NAME...    .config only
    kernel.py make NAME ARG...  any other kbuild target, e.g. mm/cma/
    kernel.py selftests         tools/testing/selftests/cma for the boards
    kernel.py list
"""


from lab import cli, kbuild


def main() -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("action", choices=["build", "config", "make", "selftests", "list"])
    parser.add_argument("args", nargs="*")
    opts = parser.parse_args()
    if opts.action == "list":
        print("\n".join(kbuild.KERNELS))
        return 0
    names = opts.args[:1] if opts.action == "make" else opts.args
    unknown = [n for n in names if n not in kbuild.KERNELS]
    if unknown or not names and opts.action != "selftests":
        parser.error(f"unknown kernel {unknown or ''}, try 'list'")
    kbuild.our_tree()
    kbuild.install_packages(kbuild.packages(names))
    if opts.action == "selftests":
        kbuild.selftests()
    for name in names:
        if opts.action == "build":
            kbuild.build(name)
        elif opts.action == "config":
            kbuild.configure(name)
        else:
            src = kbuild.configure(name)
            lines, _, _ = kbuild.make(name, opts.args[1:], src,
                                      kbuild.obj(name) / "make.log")
            print("\n".join(lines))
    return 0


if __name__ == "__main__":
    cli.run(main)
