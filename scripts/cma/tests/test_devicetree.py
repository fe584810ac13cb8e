# SPDX-License-Identifier: GPL-2.0
"""Device trees for tests: nodes and overlays come into a board's tree."""


from lab import boards, devicetree
from tests.case import Case

BOARD = """/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	clock { phandle = <1>; };
	memory { device_type = "memory"; reg = <0 0x40000000 0 0x1000000>; };
};
"""
NODES = """/ {
	reserved-memory { frames: frames { size = <0 0x400000>; }; };
	camera: camera { memory-region = <&frames>; };
};
"""


class DeviceTree(Case):
    def setUp(self):
        self.dtb = self.folder() / "board.dtb"
        devicetree.build(BOARD, self.dtb)

    def get(self, node, name, *options):
        return devicetree.run(["fdtget", *options, self.dtb, node, name]).strip()

    def test_nodes_join_those_of_the_board(self):
        devicetree.extend(self.dtb, NODES)
        self.assertEqual(self.get("/memory", "device_type"), "memory")
        frames = self.get("/reserved-memory/frames", "phandle")
        self.assertNotEqual(frames, "1")
        self.assertEqual(self.get("/camera", "memory-region"), frames)

    def test_overlays_find_labels_and_paths(self):
        devicetree.extend(self.dtb, NODES, [
            "&frames { linux,cma-default; size = <0 0x800000>; };",
            "&{/} { display { memory-region = <&frames>; }; };"])
        self.assertEqual(self.get("/reserved-memory/frames", "size", "-tx"), "0 800000")
        self.assertEqual(self.get("/display", "memory-region"),
                         self.get("/reserved-memory/frames", "phandle"))

    def test_what_does_not_compile_is_said(self):
        with self.assertRaisesRegex(devicetree.Error, "syntax error"):
            devicetree.extend(self.dtb, "/ { frames")
        with self.assertRaises(devicetree.Error):
            devicetree.extend(self.dtb, "", ["&nowhere { };"])

    def test_a_board_without_a_file_has_what_the_emulator_says(self):
        boards.prepared("virt", None, mem="128M", smp=3).make_dtb(self.dtb.parent)
        self.assertEqual(self.get("/memory@40000000", "reg", "-tx"), "0 40000000 0 8000000")
        self.assertEqual(self.get("/cpus/cpu@2", "device_type"), "cpu")

    def test_what_a_board_has_wrong_is_set_right(self):
        dts = self.dtb.parent / "arch/arm/boot/dts"
        dts.mkdir(parents=True)
        devicetree.build("/dts-v1/; / { cpu@900 { reg = <0x900>; }; "
                         "port { }; };", dts / "x.dtb")
        board = boards.Board("x", "ttyS0", "1G", 1, dtb="x.dtb",
                             dtb_set=[("/cpu@900", "reg", 3)],
                             dtb_remove=["/port"])
        self.dtb = boards.Setup(board, self.dtb.parent).make_dtb(self.dtb.parent)
        self.assertEqual(self.get("/cpu@900", "reg"), "3")
        self.assertNotIn("port", devicetree.source(self.dtb))
