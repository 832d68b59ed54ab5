"""The energy grid of every spectrum inside the program, and its intensity scale: the calibration.

The training spectra (arXiv:2312.05472, data of github.com/LLNL/graphite) come without an energy axis, so the axis
is a calibration, and this file is the only place that knows it.

Step: the leading edge of the unrounded diamond spectrum falls as a Gaussian whose sigma is half a grid step; the
paper broadened by 0.2 eV, so the step is 0.4 eV. Origin: graphite's pi* maximum, point 27, at the measured 285.4 eV.
Then graphite's sigma* falls at 292.2, diamond's edge peak at 290.6 and its second-gap dip at 301.8 eV (measured: about
291.7, 289.3-291 and 302.4 eV).

The intensity scale is that of the training spectra, whose area (the plain sum over the points) is the same within 2 %
for all amorphous networks.
"""

from __future__ import annotations

import numpy as np

N_POINTS = 100
#: Energy of the first point, eV.
ENERGY_START = 274.6
#: Distance between points, eV.
ENERGY_STEP = 0.4
#: Energies of the points, eV, shape (100,); read-only.
ENERGY: np.ndarray = np.round(ENERGY_START + ENERGY_STEP * np.arange(N_POINTS), 6)
ENERGY.setflags(write=False)

#: Energy of graphite's pi* resonance, eV: what "relative to the edge" refers to in this package.
PI_STAR = 285.4
#: Where the pi* resonances of carbon and its sigma* resonance lie, eV: for areas and atoms' shares of them.
PI_STAR_WINDOW, SIGMA_STAR_WINDOW = (283.0, 286.6), (291.0, 294.0)
#: Where the pi* maximum of a scan is looked for whose energies are not calibrated yet, eV.
PI_STAR_SEARCH = (282.5, 288.0)
#: The whole edge, to which the area of pi* is related, eV.
WHOLE_WINDOW = (280.0, 310.0)
#: A spectrum of amorphous carbon has an edge that begins below this energy, eV.
EDGE_ONSET = 284.0
#: Sum over the points of an amorphous-carbon spectrum: mean of the five networks of the public data set.
AREA = 22.16
