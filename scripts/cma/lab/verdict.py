# SPDX-License-Identifier: GPL-2.0
"""Reads a console log and says whether the boot passed.

Pure: lines in, verdict out. Owns the meaning of "passed":
- KTAP is whole: every document has its plan, every result is there, in
  order, once, and none is "not ok";
- no splat of the kernel's, but those that a test announced in the same
  command by a line "# expect-splat: REGEX" (KUnit: kunit_info(test,
  "expect-splat: REGEX")), each of which must come;
- each message that the caller expects came (and counts as no splat);
- every command ended, with status 0 (4 says that it skipped);
- the guest came to its end.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

TIMESTAMP = re.compile(r"^\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?")

# One line of each is enough: the head of the report.
SPLAT = re.compile(
    r"\bBUG: |kernel BUG at |\bWARNING: |\bOops\b|Internal error: "
    r"|Unable to handle kernel|Unhandled fault|Kernel panic"
    r"|possible (?:circular|recursive|irq lock|deadlock)"
    r"|INFO: (?:task .* blocked for|lockdep is turned off|rcu)"
    r"|rcu.*(?:detected.*stall|self-detected stall|kthread starved)"
    r"|\bbad page\b|page dumped because|page allocation failure"
    r"|enqueued on deprecated workqueue"
    r"|scheduling while atomic|refcount_t: |list_(?:add|del) corruption"
    r"|ODEBUG: |KASAN|UBSAN|pagealloc: memory corruption"
    r"|Out of memory: |EXT4-fs (?:error|warning)|I/O error"
    r"|^(?:\S+ \S+: )?cma: .*\b(?:fail|failed|error)\b",
    re.IGNORECASE)
# A stack dump of any other origin.
DUMP = re.compile(r"\bcall trace:|\bbacktrace:", re.IGNORECASE)
# Below the head of lockdep's report: the lock, and who takes it.
LOCK = re.compile(r"\((&?[\w.>-]+)\)\{.*\}.*, at: (\w+)")
REPLAYED = "** replaying previous printk message **"	# and the message follows
DUMP_LINES = 80		# how far below its head a report's dump may start

MAX_FINDINGS = 8	# that are told of one result

VERSION = re.compile(r"^( *)K?TAP version \d+$")
PLAN = re.compile(r"^( *)1\.\.(\d+)\b(.*)$")
RESULT = re.compile(r"^( *)(ok|not ok) (\d+)\b(?: *-)? *([^#]*?)? *(?:#(.*))?$")
SKIP = re.compile(r" *SKIP\b(.*)$", re.IGNORECASE)
NOT_OK = re.compile(r"^ *not ok\b")
SUBTEST = re.compile(r"^( *)# Subtest: (.+)$")
# Which line of a test found what: of kselftest's harness, and of KUnit.
FINDING = re.compile(r"^ *# (?:\w+\.c:\d+:|.*EXPECTATION FAILED|"
                     r".*ASSERTION FAILED)")
EXPECT = re.compile(r"^ *# *(?:[\w.]+: )?expect-splat: (.+)$")
BEGIN = re.compile(r"^guest: begin: (.*)$")
END = re.compile(r"^guest: end (\d+): (.*)$")
DONE = "guest: done"
KSFT_SKIP = 4


class Test(NamedTuple):
    """status: "ok", "skip" or "not ok". reason: that it gives for a skip."""
    name: str
    status: str
    reason: str = ""


@dataclass
class Document:
    """One KTAP document, or a nested one, while it is being read."""
    indent: int
    depth: int
    name: str
    plan: int | None = None
    nr_results: int = 0
    nr_nested: int = 0		# results below the next result


@dataclass
class Verdict:
    """tests: the innermost ones. ended: the guest came to its end."""
    tests: list[Test] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    splats: list[str] = field(default_factory=list)
    ended: bool = False

    @property
    def ok(self) -> bool:
        return not self.problems


class Reader:
    def __init__(self, expect: Iterable[str], harmless: Iterable[str]) -> None:
        self.out = Verdict()
        self.harmless = [re.compile(h) for h in harmless]
        self.messages = {re.compile(e): False for e in expect}
        self.open: list[Document] = []
        self.command: str | None = None
        self.skip_all = ""	# why its command has no test at all
        self.nr_tests_before = 0
        self.dump_until = -1
        self.wants_lock = False
        self.findings: list[str] = []	# since the last result
        self.new_segment()

    def problem(self, text: str) -> None:
        self.out.problems.append(text)

    def new_segment(self) -> None:
        """A command, or the kernel's own time between two."""
        self.expected: list[re.Pattern[str]] = []
        self.segment_splats: list[str] = []

    def end_segment(self) -> None:
        self.close(0)
        used = set()
        for text in self.segment_splats:
            hits = [e for e in self.expected if e.search(text)]
            used.update(hits)
            if not hits and not any(h.search(text) for h in self.harmless):
                self.out.splats.append(text)
                self.problem(f"splat: {text}")
        for regex in self.expected:
            if regex not in used:
                self.problem(f"announced splat did not come: {regex.pattern}")
        self.new_segment()

    def close(self, indent: int) -> None:
        """Ends every open document at this indent or deeper."""
        while self.open and self.open[-1].indent >= indent:
            doc = self.open.pop()
            # A parameterised KUnit case does not know its number of results.
            if doc.plan is None and doc.depth < 2:
                self.problem(f"{doc.name}: no plan")
            elif doc.plan is not None and doc.plan != doc.nr_results:
                self.problem(f"{doc.name}: {doc.nr_results} results, "
                             f"planned {doc.plan}")
            if self.open:
                self.open[-1].nr_nested += doc.nr_results

    def start(self, indent: int) -> None:
        self.close(indent)
        name = self.command or "kernel log"
        self.open.append(Document(indent, len(self.open), name))

    def result(self, indent: int, status: str, number: int, name: str,
               directive: str | None) -> None:
        self.close(indent + 1)
        if not self.open or self.open[-1].indent != indent:
            self.problem(f"result outside of any document: {name}")
            self.start(indent)
        doc = self.open[-1]
        doc.nr_results += 1
        if number != doc.nr_results:
            self.problem(f"{doc.name}: result {number} ({name}) where "
                         f"{doc.nr_results} was due")
            doc.nr_results = number
        skip = SKIP.match(directive or "")
        if status == "not ok":
            self.problem("\n  ".join([f"not ok: {doc.name}: {name}",
                                      *self.findings[:MAX_FINDINGS]]))
        self.findings = []
        if not doc.nr_nested or status == "not ok":
            kind, reason = status, ""
            if skip and status == "ok":
                kind, reason = "skip", skip[1].strip()
            self.out.tests.append(Test(f"{doc.name}: {name}", kind, reason))
        doc.nr_nested = 0

    def splat(self, number: int, text: str) -> None:
        hits = [regex for regex in self.messages if regex.search(text)]
        self.messages.update(dict.fromkeys(hits, True))
        if hits:
            self.dump_until = number + DUMP_LINES
        elif SPLAT.search(text) or DUMP.search(text) and number > self.dump_until:
            self.dump_until = number + DUMP_LINES
            self.segment_splats.append(text)
        elif self.wants_lock and (m := LOCK.search(text)):
            self.segment_splats[-1] += f": {m[1]} at {m[2]}"
        else:
            return
        self.wants_lock = text.endswith("inconsistent lock state")

    def command_end(self, status: int, command: str) -> None:
        results = self.out.tests[self.nr_tests_before:]
        self.end_segment()
        if command != self.command:
            self.problem(f"end of a command that did not begin: {command}")
        if status == KSFT_SKIP and all(t.status == "skip" for t in results):
            if not results:
                self.out.tests.append(Test(command, "skip", self.skip_all))
        elif status:
            self.problem(f"status {status}: {command}")
        self.command = None

    def line(self, number: int, text: str) -> None:
        if m := BEGIN.match(text):
            if self.command is not None:
                self.problem(f"did not end: {self.command}")
            self.end_segment()
            self.command = m[1]
            self.skip_all = ""
            self.nr_tests_before = len(self.out.tests)
        elif m := END.match(text):
            self.command_end(int(m[1]), m[2])
        elif m := VERSION.match(text):
            self.start(len(m[1]))
        elif m := PLAN.match(text):
            self.plan(len(m[1]), int(m[2]))
            if skip := SKIP.match(m[3].strip(" #")):
                self.skip_all = skip[1].strip()
        elif m := RESULT.match(text):
            self.result(len(m[1]), m[2], int(m[3]), m[4] or m[3], m[5])
        elif NOT_OK.match(text) or text.startswith("Bail out!"):
            self.problem(text.strip())
        elif m := SUBTEST.match(text):
            if self.open and self.open[-1].indent == len(m[1]):
                self.open[-1].name = m[2]
        elif m := EXPECT.match(text):
            self.expected.append(re.compile(m[1]))
        elif text == DONE:
            self.end_segment()
            self.out.ended = True
        else:
            if FINDING.match(text):
                self.findings.append(text.strip(" #"))
            self.splat(number, text)

    def plan(self, indent: int, nr: int) -> None:
        if not self.open or self.open[-1].indent < indent:
            self.start(indent)
        doc = self.open[-1]
        if doc.indent == indent and doc.plan is None:
            doc.plan = nr
        else:
            self.problem(f"{doc.name}: a second plan, or one out of place")

    def finish(self, want_tests: bool) -> Verdict:
        self.end_segment()
        if self.command is not None:
            self.problem(f"did not end: {self.command}")
        if not self.out.ended:
            self.problem("the guest did not come to its end")
        for regex, came in self.messages.items():
            if not came:
                self.problem(f"expected message did not come: {regex.pattern}")
        if want_tests and not self.out.tests:
            self.problem("no test ran")
        return self.out


def judge(lines: Iterable[str], want_tests: bool = False, expect: Sequence[str] = (),
          harmless: Sequence[str] = ()) -> Verdict:
    """The verdict on the console lines of one boot. harmless: splats that may
    come, as regular expressions."""
    reader = Reader(expect, harmless)
    before, replayed = "", False
    for number, line in enumerate(lines):
        text = TIMESTAMP.sub("", line.rstrip())
        if text != REPLAYED and not (replayed and text == before):
            reader.line(number, text)
            before = text
        replayed = text == REPLAYED
    return reader.finish(want_tests)
