"""hdbscan and scikit-learn on the trees that measure.mjs wrote: on log weights, and as they would take them (1 / distance).

usage: peers.py TREES.jsonl. Needs hdbscan 0.8.44 and scikit-learn 1.9.1.
"""
import json
import sys
from collections import defaultdict

import numpy as np
from hdbscan._hdbscan_tree import compute_stability, condense_tree, get_clusters
from sklearn.cluster._hdbscan import _tree
from sklearn.metrics import adjusted_rand_score



def tree(weights, height):
    """SciPy's form of the tree that unites neighbouring positions by rising weight."""
    n = len(weights) + 1
    number, size, root = list(range(n)), [1] * n, list(range(n))

    def find(p):
        while root[p] != p:
            root[p] = root[root[p]]
            p = root[p]
        return p

    rows = []
    for k in np.argsort(weights, kind="stable"):
        a, b = find(k), find(k + 1)
        rows.append((number[a], number[b], height[k], size[a] + size[b]))
        root[b] = a
        size[a] += size[b]
        number[a] = n + len(rows) - 1
    return rows


def hdbscan(rows, smallest):
    condensed = condense_tree(np.array(rows, float), smallest)
    return get_clusters(condensed, compute_stability(condensed), "eom", False, False, 0.0, 0)[0]


def sklearn(rows, smallest):
    return _tree.tree_to_labels(np.array(rows, dtype=_tree.HIERARCHY_dtype), smallest)[0]


found = defaultdict(lambda: defaultdict(list))
for line in open(sys.argv[1]):
    one = json.loads(line)
    # A tie is a node of many children here, and of pairs in their order there: a breath of noise settles it.
    w = np.array(one["weights"], float)
    w = np.maximum(w, w[w > 0].min() / 2) * (1 + 1e-9 * np.arange(len(w)))
    logs = 1 / (np.log(w).max() + 1 - np.log(w))
    truth = np.array(one["labels"])
    row = found[one["name"]]
    row["ungated"].append(one["ungated"] if one["ungated"] > 1 else 0)
    for name, cut, height in (
        ("hdbscan log", hdbscan, logs),
        ("sklearn log", sklearn, logs),
        ("hdbscan", hdbscan, w),
        ("sklearn", sklearn, w),
    ):
        labels = np.asarray(cut(tree(w, height), one["smallest"]))
        row[name].append(int(labels.max()) + 1)
        inside = labels >= 0
        if name == "hdbscan":
            row["in none"].append(1 - inside.mean())
            row["ari"].append(adjusted_rand_score(truth[inside], labels[inside]) if one["truth"] and inside.any() else None)

text = lambda values: ", ".join("–" if v is None else f"{v:.2f}" if isinstance(v, float) else str(v) for v in values)
columns = ("ungated", "hdbscan log", "sklearn log", "hdbscan", "sklearn", "in none", "ari")
print("| data | ours before the test | hdbscan, log weights | scikit-learn, log weights | hdbscan, 1/distance | scikit-learn, 1/distance | in none | ARI in its clusters |")
print("|" + " --- |" * 8)
for name, row in found.items():
    print(f"| {name} | " + " | ".join(text(row[c]) for c in columns) + " |")
