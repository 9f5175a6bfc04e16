"""Writes regions_*.npy: masks and their connected components by scipy.ndimage.label (SciPy 1.10.1, NumPy 1.24.2)."""
from pathlib import Path

import numpy as np
from scipy import ndimage

here = Path(__file__).parent
rng = np.random.default_rng(20261121)
masks = []
for k in range(24):
    z = rng.standard_normal((28, 28))
    if k % 3:
        z = ndimage.gaussian_filter(z, 0.5 * (k % 3))
    masks.append(z > np.quantile(z, [0.3, 0.5, 0.7, 0.9][k % 4]))
np.save(here / "regions_masks.npy", np.array(masks).astype("<i4"))
for neighbours, rank in ((4, 1), (8, 2)):
    pairs = [ndimage.label(mask, ndimage.generate_binary_structure(2, rank)) for mask in masks]
    np.save(here / f"regions_labels{neighbours}.npy", np.array([labels for labels, _ in pairs]).astype("<i4"))
    np.save(here / f"regions_counts{neighbours}.npy", np.array([count for _, count in pairs]).astype("<i4"))
