# SPDX-License-Identifier: GPL-2.0
"""`bare` holds no provider of contiguous memory; and the tools that make it so."""

import os
import re
import unittest

from trees import bare, csyntax
from trees.bases import BUILD, VERSION
from trees.git import Repo

# Names that `bare` must not define; a star stands for any rest of the name.
PROVIDERS = """
    MIGRATE_CMA cma_alloc cma_release cma_declare_contiguous* cma_init_reserved_mem
    alloc_contig_range* alloc_contig_pages* free_contig_range
    dma_alloc_from_contiguous dma_alloc_contiguous dma_contiguous_reserve*
    dma_contiguous_remap rmem_cma_*
""".split()

OPTIONS = """
    CMA CMA_AREAS CMA_DEBUGFS CMA_SYSFS DMA_CMA DMA_NUMA_CMA CMA_ALIGNMENT
    CMA_SIZE_MBYTES CMA_SIZE_PERCENTAGE CMA_SIZE_SEL_MBYTES CMA_SIZE_SEL_PERCENTAGE
    CMA_SIZE_SEL_MIN CMA_SIZE_SEL_MAX CONTIG_ALLOC
""".split()

# The interface of the disabled allocator may stay: static inline functions in
# these headers that do nothing but return a constant.
STUB_HEADERS = {"include/linux/cma.h", "include/linux/dma-map-ops.h",
                "include/linux/gfp.h", "arch/arm/mm/mm.h"}
CONSTANT = re.compile(r"(return(\s+(NULL|false|0|-E[A-Z]+))?\s*;)?")

# They use the interface, and prove by being unchanged that ours is complete.
CONSUMERS = """
    mm/hugetlb.c drivers/dma-buf/heaps/cma_heap.c kernel/dma/direct.c kernel/dma/pool.c
    drivers/iommu/dma-iommu.c drivers/virtio/virtio_mem.c
    drivers/remoteproc/remoteproc_core.c drivers/gpu/drm/drm_gem_dma_helper.c
    drivers/media/common/videobuf2/videobuf2-dma-contig.c drivers/of/of_reserved_mem.c
    arch/arm64/mm/init.c arch/x86/kernel/setup.c arch/powerpc/kernel/fadump.c
""".split()


def pattern(name):
    return r"\b%s\b" % name.replace("*", r"\w*")


def is_stub(path, item):
    """Is the text @item in the file @path one of the functions that may stay?"""
    code = re.sub(r"/\*.*?\*/", "", item, flags=re.S)
    found = re.fullmatch(r"static\s+(?:inline|__always_inline)\s[^{}]*\{\s*([^{}]*?)\s*\}",
                         code.strip())
    return (path in STUB_HEADERS and found is not None and
            CONSTANT.fullmatch(found.group(1)) is not None)


def definitions(path, text, provider):
    """[text of each thing in @text that defines or declares @provider]."""
    found = []
    for name in sorted(set(re.findall(pattern(provider), csyntax.mask(text)) +
                           re.findall(r"#\s*define\s+(%s)" % pattern(provider), text))):
        found += [text[s:e] for s, e in csyntax.find(text, name)]
        for start, end, head in csyntax.items(text):
            code = csyntax.mask(text[start:end])
            if re.match(r"(typedef\s+)?enum\b", head) and \
                    re.search(r"[{,]\s*%s\s*[=,}]" % re.escape(name), code):
                found.append(text[start:end])
    return [item for item in found if not is_stub(path, item)]


class Bare(unittest.TestCase):
    """On the real tree."""

    @classmethod
    def setUpClass(cls):
        cls.repo = Repo(os.path.join(BUILD, "linux"))
        if not os.path.isdir(cls.repo.gitdir) or not cls.repo.tag("bare"):
            raise unittest.SkipTest("no kernel tree in %s: make tree" % BUILD)

    def read(self, tag, path):
        blob = self.repo.entries(tag, [path])[path][1]
        return self.repo.read(blob).decode("utf-8", "replace")

    def scan(self, tag):
        """{provider: {path}} of what is defined or declared at @tag."""
        grep = self.repo.run("grep", "-lE", r"\b(%s)\b" % "|".join(
            p.replace("*", r"\w*") for p in PROVIDERS), tag, "--",
            "*.[chS]", ":!tools/testing/").stdout		# no part of a kernel
        paths = [line.split(":", 1)[1] for line in grep.decode().splitlines()]
        texts = {path: self.read(tag, path) for path in paths}
        return {provider: {p for p, text in texts.items()
                           if definitions(p, text, provider)} for provider in PROVIDERS}

    def test_no_provider_is_left(self):
        for provider, paths in self.scan("refs/tags/bare").items():
            with self.subTest(provider):
                self.assertEqual(paths, set())

    def test_the_scan_finds_each_in_base(self):
        found = self.scan("refs/tags/base")
        for provider in PROVIDERS:
            with self.subTest(provider):
                self.assertNotEqual(found[provider], set())
        self.assertLessEqual({"include/linux/cma.h", "mm/cma.c"}, found["cma_alloc"])
        self.assertLessEqual({"include/linux/mmzone.h"}, found["MIGRATE_CMA"])

    def options(self, tag):
        grep = self.repo.run("grep", "-hE", r"^(menu)?config [A-Z0-9_]+$", tag, "--",
                             "*Kconfig*").stdout.decode()
        return {line.split()[1] for line in grep.splitlines()}

    def test_no_option_is_left(self):
        self.assertEqual(self.options("refs/tags/bare") & set(OPTIONS), set())
        self.assertEqual(self.options("refs/tags/base") & set(OPTIONS), set(OPTIONS))

    def test_consumers_are_untouched(self):
        for path in CONSUMERS:
            self.assertIn(path, self.repo.entries("refs/tags/base", [path]))
        changed = self.repo.changes("refs/tags/base", "refs/tags/bare")
        self.assertEqual(set(changed) & set(CONSUMERS), set())

    def test_it_is_what_the_recipe_makes(self):
        self.assertEqual(bare.make(self.repo, "refs/tags/base", "6.12", VERSION),
                         (self.repo.tree_of("refs/tags/bare"), []))


class Stubs(unittest.TestCase):
    def test_only_empty_ones_and_only_in_their_headers(self):
        head = "static inline struct page *cma_alloc(struct cma *c, bool b)\n"
        for body in ("{ return NULL; }", "{\n}", "{\n\t/* off */\n\treturn -ENOSYS;\n}"):
            self.assertTrue(is_stub("include/linux/cma.h", head + body), body)
            self.assertFalse(is_stub("mm/cma.c", head + body), body)
            self.assertFalse(is_stub("include/linux/cma.h", head[7:] + body), body)
        for body in (";", "{ return other(c); }", "{ x = 1; return 0; }", "{ if (b) {} }"):
            self.assertFalse(is_stub("include/linux/cma.h", head + body), body)


TEXT = """#include <a.h>

/* About one. */
static int one(int two)
{
	if (two) { /* } */
		char c = '}';
	}
	return two;
}
EXPORT_SYMBOL_GPL(one);

int two(void);

#define three(x)	\\
	four(x)
static const char * const four[] __initdata = { "one", "two" };

/* Not about five. */

struct five {
	int one;
};
extern struct five five_of(struct five *five);
enum { SIX, MIGRATE_CMA };
static __always_inline struct page *seven(int a,
					  int b) { return NULL; }
unsigned long eight __read_mostly = 8;

int nine(void)
{
	return one(9);
}
"""


class Dropping(unittest.TestCase):
    def gone(self, name, count=1):
        """The lines that dropping @name takes away."""
        left, found = csyntax.drop(TEXT, name)
        self.assertEqual(found, count)
        kept = iter(left.splitlines())
        nxt = next(kept, None)
        gone = []
        for line in TEXT.splitlines():
            if line == nxt:
                nxt = next(kept, None)
            else:
                gone.append(line)
        self.assertIsNone(nxt)
        self.assertNotIn("\n\n\n", left)
        return gone

    def test_function_with_its_comment_and_export(self):
        gone = self.gone("one", 2)
        self.assertEqual(gone[0], "/* About one. */")
        self.assertIn("EXPORT_SYMBOL_GPL(one);", gone)
        self.assertEqual(len([l for l in gone if l]), 9)

    def test_prototype_and_one_of_a_function_on_two_lines(self):
        self.assertEqual(self.gone("two")[0], "int two(void);")
        self.assertEqual(len(self.gone("seven")), 2)

    def test_macro_and_variables(self):
        self.assertEqual(self.gone("three"), ["#define three(x)	\\", "	four(x)"])
        self.assertEqual(len(self.gone("four")), 1)
        self.assertEqual(len(self.gone("eight")), 1)

    def test_type_without_the_comment_above_a_blank_line(self):
        gone = self.gone("five")
        self.assertEqual(gone[0], "struct five {")
        self.assertNotIn("/* Not about five. */", gone)

    def test_uses_and_arguments_do_not_count(self):
        self.assertEqual(csyntax.drop(TEXT, "SIX"), (TEXT, 0))
        self.assertEqual(csyntax.drop(TEXT, "a"), (TEXT, 0))
        self.assertEqual(len(definitions("x.h", TEXT, "MIGRATE_CMA")), 1)
        self.assertEqual(definitions("x.h", TEXT, "return"), [])

    def test_kconfig_entries(self):
        recipe = bare.Recipe({"Kconfig": b"config A\n\tbool\n\thelp\n\t  A.\n\n\t  B.\n\n"
                              b"config AB\n\tbool\n\nmenuconfig B\n\tbool\n"}.get, "6.12")
        recipe.run("x", "kconfig Kconfig A B\n")
        self.assertEqual(recipe.files["Kconfig"], "config AB\n\tbool\n\n")

    def test_edits(self):
        recipe = bare.Recipe({"f": b"a\n\tb\nc\nd\nb\ne\n"}.get, "6.12")
        recipe.run("x", "edit f\n\t- a\n\t- b\n\t+ \tnew\n\t+\n\t--\n\t- d\n\t- ...\n\t- e\n")
        self.assertEqual(recipe.files["f"], "\tnew\n\nc\n")
