# SPDX-License-Identifier: GPL-2.0
"""Finds top-level items of C source by name, so that a recipe can drop them.

Not a parser: it knows comments, strings, brackets and the kernel's layout (a
closing brace in the first column ends whatever was open). Positions are
offsets into the text.
"""

import functools
import re

_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
                    r'|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*', re.S | re.M)


@functools.lru_cache(maxsize=8)
def mask(text: str) -> str:
    """@text with comments, literals and preprocessor lines blanked out."""
    return _NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


@functools.lru_cache(maxsize=8)
def items(text: str) -> list[tuple[int, int, str]]:
    """[(start, end, head)] of the top-level items; head ends before any body."""
    code = mask(text)
    found = []
    start = head_end = None
    depth = 0
    function = False
    for m in re.finditer(r"[^\s(){}\[\];=]+|[(){}\[\];=]", code):
        token, pos = m.group(), m.start()
        if start is None:
            start, head_end, function, last = pos, None, False, ""
        if token in "([{":
            if token == "{" and depth == 0 and head_end is None:
                head_end = pos
                function = last == ")"
            depth += 1
        elif token in ")]}":
            at_margin = token == "}" and (pos == 0 or code[pos - 1] == "\n")
            depth = 0 if at_margin else max(depth - 1, 0)
            if token == "}" and depth == 0 and function:
                found.append((start, m.end(), code[start:head_end]))
                start = None
        elif depth == 0 and token == "=" and head_end is None:
            head_end = pos
        elif depth == 0 and token == ";":
            found.append((start, m.end(), code[start:head_end or pos]))
            start = None
        last = token
    return found


def declares(head: str, name: str) -> bool:
    """Does an item with this @head declare or define @name, or export it?"""
    word = r"(?<![\w])%s(?![\w])" % re.escape(name)
    if re.fullmatch(r"\s*EXPORT_SYMBOL(_GPL)?\s*\(\s*%s\s*\)\s*" % word, head):
        return True
    if re.search(r"\b(struct|union|enum)\s+%s\s*$" % word, head):
        return True
    # Parameters and array sizes do not count: only what stands outside brackets.
    outside = head
    while True:
        inner = re.sub(r"\([^()\[\]]*\)|\[[^()\[\]]*\]", "\0", outside)
        if inner == outside:
            break
        outside = inner
    return bool(re.search(r"[\w*\s]%s(?:\s|\0|__\w+)*$" % word, " " + outside)
                and not re.match(r"\s*(struct|union|enum)\s+%s" % word, outside))


def find(text: str, name: str) -> list[tuple[int, int]]:
    """[(start, end)] of all items and macros named @name."""
    spans = [(s, e) for s, e, head in items(text) if declares(head, name)]
    bare = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    for m in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+%s(?!\w)(?:[^\n]*\\\n)*[^\n]*"
                         % re.escape(name), bare, re.M):
        spans.append(m.span())
    return sorted(spans)


def _comment_above(text: str, start: int) -> int:
    """Where the comment begins that ends on the line above @start, or @start."""
    above = text[:start].rstrip(" \t")
    if not above.endswith("*/\n"):
        return start
    opening = above.rfind("/*")
    line = above.rfind("\n", 0, opening) + 1
    return line if not above[line:opening].strip() else start


def drop(text: str, name: str) -> tuple[str, int]:
    """@text without the items named @name, and how many there were."""
    spans = find(text, name)
    for start, end in reversed(spans):
        start = text.rfind("\n", 0, start) + 1
        start = _comment_above(text, start)
        end = text.find("\n", end)
        end = len(text) if end < 0 else end + 1
        # One of the blank lines around it is enough.
        if text[:start].endswith(("\n\n", "{\n")) or not start:
            while text[end:end + 1] == "\n":
                end += 1
        text = text[:start] + text[end:]
    return text, len(spans)
