"""Times Python's peers for bench/python.ts. One JSON request a line on stdin, one answer a line.

Request: {"work": name, "file": npy of float32 points or matrix, "k": int, "calls": int}; answer: {"seconds": s} of all
calls, processor time, or {"error": text}; works that make a spanning tree also answer {"total": sum of its weights}.
The first line printed names the versions. Every peer gets one thread.
"""
import json
import os
import sys
import time
from importlib.metadata import PackageNotFoundError, version

os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np

versions = {"numpy": np.__version__}
try:
    import scipy
    from scipy.cluster.hierarchy import linkage
    from scipy.ndimage import label
    from scipy.sparse.linalg import svds
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial.distance import pdist, squareform

    versions["scipy"] = scipy.__version__
except ImportError:
    scipy = None
try:
    import fastcluster

    versions["fastcluster"] = fastcluster.__version__
except ImportError:
    fastcluster = None
try:
    import sklearn

    versions["sklearn"] = sklearn.__version__
except ImportError:
    sklearn = None
try:
    import numba

    versions["numba"] = numba.__version__
except ImportError:
    numba = None


def optional(name, module=None):
    """An installed package's module, or None; its version is said."""
    try:
        found = __import__(module or name, fromlist=["_"])
        versions[name] = version(name)
        return found
    except (ImportError, PackageNotFoundError):
        return None


# Spanning trees of points. Each answers the sum of the tree's weights, which is the same for all that are exact.
TREES = {}


def tree(name):
    def add(function):
        TREES[name] = function
        return function

    return add


if quitefastmst := optional("quitefastmst"):
    tree("quitefastmst")(lambda x: quitefastmst.mst_euclid(x, M=0)[0].sum())
if optional("genieclust") and (genie := optional("genieclust", "genieclust.core")):

    @tree("genieclust (single linkage)")
    def genie_tree(x):
        from genieclust import Genie

        # gini_threshold 1 is single linkage: the tree and its order.
        return float(Genie(n_clusters=1, gini_threshold=1.0, M=0).fit(x)._tree_d_.sum())


if plscan := optional("fast-plscan", "fast_plscan.api"):
    # With one sample, the point itself, core distances are 0.
    tree("fast-plscan")(lambda x: plscan.compute_mutual_spanning_tree(x, min_samples=1)[1].distance.sum())
if boruvka := optional("fast_hdbscan", "fast_hdbscan.boruvka"):
    from fast_hdbscan.numba_kdtree import build_kdtree

    # Its tree in space; above 30 dimensions fast_hdbscan itself takes a graph of approximate neighbours instead.
    tree("fast_hdbscan")(lambda x: boruvka.parallel_boruvka(build_kdtree(x.astype(np.float64)), 1, 1, np.empty(1, np.float32), False)[0][:, 2].sum())
if optional("hdbscan"):
    from hdbscan._hdbscan_boruvka import KDTreeBoruvkaAlgorithm
    from sklearn.neighbors import KDTree as HdbscanTree

    @tree("hdbscan (Borůvka)")
    def hdbscan_tree(x):
        made = KDTreeBoruvkaAlgorithm(HdbscanTree(x.astype(np.float64), leaf_size=40), 1, leaf_size=13, n_jobs=1)
        return made.spanning_tree()[:, 2].sum()


if mlpack := optional("mlpack"):
    tree("mlpack emst")(lambda x: mlpack.emst(input_=x.astype(np.float64), copy_all_inputs=True)["output"][:, 2].sum())
if fastcluster:
    tree("fastcluster single linkage of points")(lambda x: fastcluster.linkage_vector(x, "single")[:, 2].sum())
if sklearn:
    try:
        # The core of its HDBSCAN; with no core distances a minimum spanning tree of the distances, in float64.
        from sklearn.cluster._hdbscan._linkage import mst_from_data_matrix
        from sklearn.metrics import DistanceMetric

        @tree("sklearn mst_from_data_matrix")
        def sklearn_tree(x):
            x = np.ascontiguousarray(x, np.float64)
            made = mst_from_data_matrix(x, np.zeros(len(x)), DistanceMetric.get_metric("euclidean"), 1.0)
            return made["distance"].sum()

    except ImportError:
        pass
if scipy:
    tree("scipy pdist + minimum_spanning_tree")(lambda x: minimum_spanning_tree(squareform(pdist(x))).sum())
pyclustertend = optional("pyclustertend")
print(json.dumps(versions), flush=True)


def numpy_cosine(x, _):
    norms = np.linalg.norm(x, axis=1)
    norms[norms == 0] = 1
    y = x / norms[:, None]
    return 1 - y @ y.T


def numpy_vat(d, _):
    n = len(d)
    start = int(np.argmax(d)) // n
    key = d[start].copy()
    key[start] = np.inf
    visited = np.zeros(n, bool)
    visited[start] = True
    order = [start]
    for _ in range(n - 1):
        key[visited] = np.inf
        j = int(np.argmin(key))
        visited[j] = True
        order.append(j)
        np.minimum(key, d[j], out=key)
    return order


def plain_vat(d):
    """The loop one would write, for numba."""
    n = len(d)
    start = 0
    best = d[0, 0]
    for i in range(n):
        for j in range(n):
            if d[i, j] > best:
                best = d[i, j]
                start = i
    order = np.empty(n, np.int64)
    parent = np.zeros(n, np.int64)
    key = np.full(n, np.inf, np.float32)
    visited = np.zeros(n, np.bool_)
    v = start
    for k in range(n):
        order[k] = v
        visited[v] = True
        least = np.float32(np.inf)
        following = 0
        for j in range(n):
            if visited[j]:
                continue
            if d[v, j] < key[j]:
                key[j] = d[v, j]
                parent[j] = v
            if key[j] < least:
                least = key[j]
                following = j
        v = following
    return order


def scipy_label(x, side):
    """All masks in one call: a structure that joins nothing between them; then the size of every region."""
    masks = x.reshape(len(x), -1, side)
    structure = np.zeros((3, 3, 3), bool)
    structure[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    labels, _ = label(masks, structure)
    return np.bincount(labels.ravel())


def numpy_correlation(x, inputs):
    # The other set of columns only has to have the right size: the time does not depend on its values.
    y = np.random.default_rng(0).random((len(x), inputs), dtype=np.float32)

    def standard(a):
        a = a - a.mean(axis=0)
        norms = np.linalg.norm(a, axis=0)
        norms[norms == 0] = 1
        return a / norms

    return standard(x).T @ standard(y)


WORK = {"numpy correlation of columns": numpy_correlation, "numpy cosine matrix": numpy_cosine, "numpy VAT from matrix": numpy_vat}
if scipy:
    WORK["scipy pdist cosine"] = lambda x, _: pdist(x, "cosine")
    WORK["scipy pdist manhattan"] = lambda x, _: pdist(x, "cityblock")
    WORK["scipy pdist euclidean"] = lambda x, _: pdist(x, "euclidean")
    WORK["scipy average linkage"] = lambda d, _: linkage(squareform(d, checks=False), "average")
    WORK["scipy ndimage.label"] = scipy_label
    WORK["scipy svds (ARPACK)"] = lambda a, k: svds(a.astype(np.float64), k=k)
if fastcluster:
    WORK["fastcluster average linkage"] = lambda d, _: fastcluster.linkage(squareform(d, checks=False), "average")
if sklearn:
    from sklearn.utils.extmath import randomized_svd

    WORK["sklearn randomized_svd"] = lambda a, k: randomized_svd(a, n_components=k, random_state=0)

if pyclustertend:
    # VAT of points: distances and Prim's order; points of two at the same place stop it.
    WORK["pyclustertend ordered matrix"] = lambda x, _: pyclustertend.compute_ordered_dissimilarity_matrix(x)
WORK.update({name: lambda x, _, made=made: made(x) for name, made in TREES.items()})
if numba:
    compiled_vat = numba.njit(plain_vat)
    WORK["numba VAT from matrix"] = lambda d, _: compiled_vat(d)

loaded = (None, None)
for line in sys.stdin:
    request = json.loads(line)
    if request["work"] not in WORK:
        print(json.dumps({"error": "not installed"}), flush=True)
        continue
    if loaded[0] != request["file"]:
        loaded = (request["file"], np.load(request["file"]))
    work, k, calls = WORK[request["work"]], request.get("k", 0), range(request.get("calls", 1))
    try:
        start = time.process_time()
        for _ in calls:
            result = work(loaded[1], k)
        answer = {"seconds": time.process_time() - start}
        if request["work"] in TREES:
            answer["total"] = float(result)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
