"""Times SciPy, scikit-learn and fastcluster for bench/python.ts. One JSON request a line on stdin, one answer a line.

Request: {"work": name, "file": npy of float32 points or matrix, "k": int, "calls": int}; answer: {"seconds": s} of all calls or
{"error": text}.
The first line printed names the versions.
"""
import json
import sys
import time

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
    WORK["scipy pdist + minimum_spanning_tree"] = lambda x, _: minimum_spanning_tree(squareform(pdist(x)))
    WORK["scipy average linkage"] = lambda d, _: linkage(squareform(d, checks=False), "average")
    WORK["scipy ndimage.label"] = scipy_label
    WORK["scipy svds (ARPACK)"] = lambda a, k: svds(a.astype(np.float64), k=k)
if fastcluster:
    WORK["fastcluster average linkage"] = lambda d, _: fastcluster.linkage(squareform(d, checks=False), "average")
if sklearn:
    from sklearn.utils.extmath import randomized_svd

    try:
        # The core of its HDBSCAN; with no core distances a minimum spanning tree of the distances themselves, in float64.
        from sklearn.cluster._hdbscan._linkage import mst_from_data_matrix
        from sklearn.metrics import DistanceMetric

        def sklearn_tree(x, _):
            x = np.ascontiguousarray(x, np.float64)
            return mst_from_data_matrix(x, np.zeros(len(x)), DistanceMetric.get_metric("euclidean"), 1.0)

        WORK["sklearn mst_from_data_matrix"] = sklearn_tree
    except ImportError:
        pass

    WORK["sklearn randomized_svd"] = lambda a, k: randomized_svd(a, n_components=k, random_state=0)

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
    start = time.perf_counter()
    for _ in calls:
        work(loaded[1], k)
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
