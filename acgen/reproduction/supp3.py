"""Supp. Fig. 3: perturbed C60 returns to buckyballs by itself, and becomes amorphous where a spectrum guides."""

from acgen.reproduction.amorphised import Amorphised
from acgen.reproduction.perturbed import BUCKYBALLS

TITLE = "Perturbed solid C60, unguided and guided to amorphous carbon"
FIGURE = Amorphised(BUCKYBALLS, cn=3).figure("supp3", TITLE)
