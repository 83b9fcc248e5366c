"""Pages a second of each crawler as bars: `python plot.py OUTPUT.svg < lines.json`.

The lines: `{site: [{entry, median, least, most}]}`. It has an environment of its own, with
matplotlib.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
# The same figures make the same file.
matplotlib.rcParams.update({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9})

from matplotlib import pyplot  # noqa: E402  # after the choice of what it draws with


def draw(axes, site, lines):
    names = [line["entry"] for line in lines]
    medians = [line["median"] for line in lines]
    below = [line["median"] - line["least"] for line in lines]
    above = [line["most"] - line["median"] for line in lines]
    colours = ["#c2410c" if name.startswith("ours") else "#94a3b8" for name in names]
    bars = axes.barh(names, medians, xerr=(below, above), color=colours, ecolor="#334155")
    axes.bar_label(bars, labels=[f" {value:,.0f}" for value in medians], padding=6)
    axes.set_title(f"{site}: pages/s, median and span")
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)


def main():
    sites = json.load(sys.stdin)
    figure, rows = pyplot.subplots(len(sites), 1, figsize=(7, 2.6 * len(sites)), squeeze=False)
    for axes, (site, lines) in zip(rows[:, 0], sites.items(), strict=True):
        draw(axes, site, lines)
    figure.tight_layout()
    figure.savefig(sys.argv[1], metadata={"Date": None})


if __name__ == "__main__":
    main()
