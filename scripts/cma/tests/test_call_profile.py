# SPDX-License-Identifier: GPL-2.0
"""The attribution of instructions, on small programs made up as logs."""

import struct
import unittest
from pathlib import Path

from lab import boards
import call_profile
from measure.calls import Image, Profile, ProfileError, executed

SYMBOLS = """\
c00ff000 T _stext
c0100000 t __irq_svc
c0100100 T __switch_to
c0100200 T outer
c0100300 T inner
c0100300 T __inner_alias
c0100300 t a
c0100400 t outer.cold
c0100500 T tail
c0100600 d not_code
c0200000 D _etext
ffff1000 t vector_irq
ffff1080 t vector_dabt
""".splitlines()

IRQ_SVC, SWITCH, OUTER, INNER, COLD, TAIL = (0xc0100000 + 0x100 * i
                                             for i in range(6))
VECTOR_IRQ, VECTOR_DABT = 0xffff1000, 0xffff1080
SWITCH_NAME = "__switch_to"
BL, B, LDM_RETURN, NOP = 0xeb000000, 0xea000000, 0xe8ddffff, 0xe1a00000


def image(**words):
    """words: cADDRESS=instruction; all others do nothing."""
    text = bytearray(struct.pack("<I", NOP) * 0x200)
    for name, word in words.items():
        struct.pack_into("<I", text, int(name, 16) - 0xc0100000, word)
    return Image(SYMBOLS, [(0xc0100000, bytes(text))])


def run(start, count):
    return list(range(start, start + 4 * count, 4))


def trace(pc, flags="ff020201"):
    return f"Trace 0: 0x7f00 [00000080/{pc:08x}/00000070/{flags}] \n"


class Log(unittest.TestCase):
    def test_what_was_executed(self):
        for what, log, wanted in (
                ("addresses in order", map(trace, [4, 8, 4]), [4, 8, 4]),
                ("stopped before it began", [
                    trace(4), trace(8), "Stopped execution of TB chain before 0x7f "
                    "[00000008] \n", trace(8), trace(12)], [4, 8, 12]),
                ("begun once more for a device", [
                    trace(4), "cpu_io_recompile: rewound execution of TB to 00000004\n",
                    trace(4, "ff038201"), trace(8)], [4, 8]),
                ("faulted", map(trace, [4, 8, 0xffff0010, 8]), [4, 0xffff0010, 8]),
                ("interrupted is executed", map(trace, [4, 0xffff0018, 8]), [4, 0xffff0018, 8]),
                ("empty", [], [])):
            with self.subTest(what):
                self.assertEqual(list(executed(log)), wanted)


class Symbols(unittest.TestCase):
    def test_every_name_is_known(self):
        self.assertEqual(image().address("__inner_alias"), INNER)
        with self.assertRaises(ProfileError):
            image().address("missing")

    def test_functions(self):
        """Of equal addresses a global and short one counts; data are none."""
        for addr, name in ((INNER + 8, "inner"), (0xc0100604, "tail"),
                           (0x8000, "[user]"), (0xffff0fe0, "[user]"),
                           (0xbf000010, "[module]"), (0xf0800000, "[module]"),
                           (0xffff0018, "[vectors]"), (0xffff1004, "vector_irq")):
            self.assertEqual(image().function(addr)[0], name)


class Attribution(unittest.TestCase):
    def check(self, found, own, calls, inclusive):
        """Each a mapping of (where, name) or, of the call, of a name."""
        for have, want in ((found.own, own), (found.calls, calls),
                           (found.inclusive, inclusive)):
            self.assertEqual(dict(have), {
                k if isinstance(k, tuple) else ("call", k): v
                for k, v in want.items()})

    def test_calls(self):
        """Instructions that jump, addresses that run; own, calls and inclusive."""
        for what, words, pcs, *counts in (
                ("twice", {"c0100204": BL, "c0100208": BL},
                 run(OUTER, 2) + run(INNER, 3) + run(OUTER + 8, 1) + run(INNER, 3)
                 + run(OUTER + 12, 1),
                 {"outer": 4, "inner": 6}, {"outer": 1, "inner": 2},
                 {"outer": 10, "inner": 6}),
                ("a loop to the start is none", {"c0100208": B}, run(OUTER, 3) + run(OUTER, 3),
                 {"outer": 6}, {"outer": 1}, {"outer": 6}),
                ("recursion counts inclusive once", {"c0100204": BL},
                 run(OUTER, 2) + run(OUTER, 1) + run(OUTER + 8, 1),
                 {"outer": 4}, {"outer": 2}, {"outer": 4}),
                ("a tail call returns to the caller", {"c0100200": BL, "c0100304": B},
                 run(OUTER, 1) + run(INNER, 2) + run(TAIL, 3) + run(OUTER + 4, 2),
                 {"outer": 3, "inner": 2, "tail": 3}, {"outer": 1, "inner": 1, "tail": 1},
                 {"outer": 8, "inner": 5, "tail": 3}),
                ("a cold part and back", {"c0100204": B, "c010040c": B},
                 run(OUTER, 2) + run(COLD + 8, 2) + run(OUTER + 16, 1),
                 {"outer": 3, "outer.cold": 2}, {"outer": 1, "outer.cold": 1},
                 {"outer": 5, "outer.cold": 2})):
            with self.subTest(what):
                found = Profile(image(**words)).run(pcs)
                self.check(found, *counts)
                self.assertEqual(found.total(), len(pcs))

    def interrupt(self, handler):
        return ([0xffff0018] + run(VECTOR_IRQ, 2) + run(IRQ_SVC, 1)
                + handler + run(IRQ_SVC + 4, 1))

    def test_interrupt_between_a_call_and_its_target(self):
        """The jump is seen from before the interrupt to behind it."""
        pcs = (run(OUTER, 2) + self.interrupt(run(INNER, 4)) + run(INNER, 2)
               + run(OUTER + 8, 1))
        found = Profile(image(c0100000=BL, c0100004=LDM_RETURN, c0100204=BL)).run(pcs)
        self.check(
            found, {"outer": 3, "inner": 2, ("irq", "[vectors]"): 1,
                    ("irq", "vector_irq"): 2, ("irq", "__irq_svc"): 2,
                    ("irq", "inner"): 4},
            {"outer": 1, "inner": 1, ("irq", "[vectors]"): 1,
             ("irq", "vector_irq"): 1, ("irq", "__irq_svc"): 1,
             ("irq", "inner"): 1},
            {"outer": 5, "inner": 2, ("irq", "[vectors]"): 9,
             ("irq", "vector_irq"): 8, ("irq", "__irq_svc"): 6,
             ("irq", "inner"): 4})
        self.assertEqual((found.total("call"), found.total("irq")), (5, 9))

    def test_fault_belongs_to_the_call(self):
        pcs = (run(OUTER, 1) + [0xffff0010] + run(VECTOR_DABT, 1)
               + run(IRQ_SVC, 2) + run(OUTER + 4, 1))
        found = Profile(image(c0100004=LDM_RETURN)).run(pcs)
        self.assertEqual(found.total("call"), len(pcs))
        self.assertEqual(found.inclusive["call", "outer"], len(pcs))
        self.assertEqual(found.own["call", "outer"], 2)

    def test_sleep(self):
        """Others run, be it in the same functions; then it goes on."""
        away, back = (0x10, 0x20), (0x20, 0x10)
        pcs = (run(OUTER, 2) + run(SWITCH, 3)
               + run(INNER + 8, 5) + [0x8000] + run(OUTER, 1) + run(SWITCH, 3)
               + run(OUTER + 8, 2))
        found = Profile(image(c0100204=BL), [away, back]).run(pcs)
        self.check(found, {"outer": 4, SWITCH_NAME: 3, ("task", "inner"): 5,
                           ("task", "[user]"): 1, ("task", "outer"): 1,
                           ("task", SWITCH_NAME): 3},
                   {"outer": 1, SWITCH_NAME: 1}, {"outer": 7, SWITCH_NAME: 3})
        self.assertEqual(found.total("task"), 10)

    def test_two_others(self):
        pcs = (run(OUTER, 1) + run(SWITCH, 1) + run(INNER, 1) + run(SWITCH, 1)
               + run(TAIL, 2) + run(SWITCH, 1) + run(OUTER + 4, 1))
        found = Profile(image(c0100200=BL), [(1, 2), (2, 3), (3, 1)]).run(pcs)
        self.assertEqual(found.total("call"), 3)
        self.assertEqual(found.total("task"), 5)


class Output(unittest.TestCase):
    def test_table(self):
        pcs = run(OUTER, 1) + run(INNER, 3) + run(OUTER + 4, 1)
        found = Profile(image(c0100200=BL)).run(pcs)
        lines = found.table(1)
        self.assertEqual(lines[1].split(), ["3", "60.0%", "1", "3", "inner"])
        self.assertEqual(lines[2].split(), ["2", "40.0%", "1", "more"])
        self.assertIn("total: 5 of the call, 0 in interrupts", lines[3])

    def test_condition(self):
        self.assertEqual(call_profile.condition("r1=0x1000"), (1, 4096))
        with self.assertRaises(ValueError):
            call_profile.condition("1=4096")

    def test_what_commands_said(self):
        log = ["[ 0.1] boot", "[ 0.2] guest: begin: a", "[ 0.3] one",
               "[ 0.4] guest: end 0: a", "[ 0.5] guest: done"]
        self.assertEqual(list(call_profile.said_by_commands(log)), ["guest: begin: a", "one"])


class Boards(unittest.TestCase):
    def test_replay(self):
        setup = boards.prepared("virt", "k", disk="d", icount=True)
        plain = setup.command(Path("t"))
        setup.replay = "replay", Path("f")
        again = setup.command(Path("t"))
        self.assertEqual([a for a in again if a not in plain],
                         ["rr=replay,rrfile=f",
                          "virtio-blk-device,drive=recorded", "sleep=on",
                          "if=none,id=recorded,driver=blkreplay,image=disk"])
